"""The examples: they parse, fit Pod Security `restricted`, hold no secret, ask what is granted.

What a policy pack would say of them is tested with the policies; whether they run, end to end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hcl2.api import loads as load_hcl

from access.grant import Grant
from access.lifetimes import Delivery, Lease, Renewal, Token, mismatches
from access.policy import Capability
from tests.unit.support.manifests import (
    Json,
    audiences,
    breaches,
    containers,
    documents,
    literals,
    strings,
    templates,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(path for path in EXAMPLES.glob("*.yaml") if path.name != "grants.yaml")
GRANTS = {
    grant.name: grant
    for grant in (
        Grant.model_validate(entry)
        for entry in yaml.safe_load((EXAMPLES / "grants.yaml").read_text())
    )
}
INJECT = "vault.hashicorp.com/"


def roles_named(path: Path) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    """Role, namespace, service account and token audiences of every login in the file."""
    for document in documents(path):
        kind, spec = document["kind"], document.get("spec", {})
        namespace = document["metadata"]["namespace"]
        if kind == "SecretStore":
            login = spec["provider"]["vault"]["auth"]["kubernetes"]
            account = login["serviceAccountRef"]
            yield login["role"], namespace, account["name"], frozenset(account["audiences"])
        elif kind == "SecretProviderClass":
            ((_, template),) = templates(path)
            account = template["spec"]["serviceAccountName"]
            parameters = spec["parameters"]
            yield parameters["roleName"], namespace, account, frozenset([parameters["audience"]])
        elif "template" in spec:
            pod, annotations = spec["template"]["spec"], spec["template"]["metadata"]
            role = annotations.get("annotations", {}).get(f"{INJECT}role") or agent_role(path, pod)
            if role:
                yield role, namespace, pod["serviceAccountName"], frozenset(audiences(pod))


def agent_role(path: Path, pod: Json) -> str | None:
    """The role in the configuration of an agent that runs as a plain init container."""
    names = {volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    for document in documents(path):
        if document["kind"] == "ConfigMap" and document["metadata"]["name"] in names:
            found = re.search(r'role\s*= "([^"]+)"', document["data"]["agent.hcl"])
            return found[1] if found else None
    return None


def paths_read(path: Path) -> set[str]:
    """Every path of Vault that a file reads, as the API names it."""
    text = path.read_text()
    found = set(re.findall(r'secret "([^"]+)"', text))
    found |= set(re.findall(r"secretPath: (\S+)", text))
    found |= set(re.findall(r"agent-inject-secret-\S+: (\S+)", text))
    stores = {d["metadata"]["name"]: d for d in documents(path) if d["kind"] == "SecretStore"}
    for document in documents(path):
        if document["kind"] == "ExternalSecret":
            store = stores[document["spec"]["secretStoreRef"]["name"]]
            mount = store["spec"]["provider"]["vault"]["path"]
            found |= {f"{mount}/data/{d['remoteRef']['key']}" for d in document["spec"]["data"]}
    return found


def readable(grant: Grant) -> set[str]:
    return {rule.path for rule in grant.policy.rules if Capability.READ in rule.capabilities}


each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@each_file
def test_each_holds_a_workload(path: Path) -> None:
    assert templates(path)
    for document in documents(path):
        assert document["apiVersion"]
        assert document["metadata"]["namespace"] in ("ml-training", "ml-serving")


@each_file
def test_pods_fit_the_restricted_level(path: Path) -> None:
    for _, template in templates(path):
        assert list(breaches(template["spec"])) == []


@each_file
def test_containers_have_limits_and_fixed_images(path: Path) -> None:
    for _, template in templates(path):
        for container in containers(template["spec"]):
            assert set(container["resources"]) == {"requests", "limits"}
            assert re.fullmatch(r"\S+:(?!latest)\S+", container["image"])


@each_file
def test_no_api_token_is_mounted(path: Path) -> None:
    for _, template in templates(path):
        assert template["spec"]["automountServiceAccountToken"] is False
        assert set(audiences(template["spec"])) <= {"vault"}


@each_file
def test_each_login_is_granted(path: Path) -> None:
    logins = list(roles_named(path))
    assert logins
    for role, namespace, account, token_audiences in logins:
        grant = GRANTS[role]
        assert account in grant.service_accounts
        assert namespace in grant.namespaces
        assert token_audiences == {grant.audience}


@each_file
def test_each_reads_what_its_grant_gives(path: Path) -> None:
    granted = set[str]().union(*(readable(GRANTS[role]) for role, *_ in roles_named(path)))
    read = paths_read(path)
    assert read
    assert read <= granted


@each_file
def test_no_secret_is_in_the_environment(path: Path) -> None:
    for _, template in templates(path):
        assert list(literals(template["spec"])) == []


@each_file
def test_no_secret_is_in_the_manifest(path: Path) -> None:
    for document in documents(path):
        assert document["kind"] not in ("Secret", "SealedSecret")
        for text in strings(document):
            assert not re.search(r"passw\w*=(?![{$])\S", text, re.IGNORECASE)
            assert not re.search(r"://[^/\s{]*:[^/\s{]*@", text)


@each_file
def test_an_injected_agent_uses_the_token_made_for_vault(path: Path) -> None:
    for _, template in templates(path):
        annotations = template["metadata"].get("annotations", {})
        if annotations.get(f"{INJECT}agent-inject") == "true":
            name = annotations[f"{INJECT}agent-service-account-token-volume-name"]
            (volume,) = [v for v in template["spec"]["volumes"] if v["name"] == name]
            source = volume["projected"]["sources"][0]["serviceAccountToken"]
            assert (source["audience"], source["expirationSeconds"]) == ("vault", 600)


@each_file
def test_a_job_does_not_keep_an_agent_and_a_server_does(path: Path) -> None:
    for document in documents(path):
        annotations = document.get("spec", {}).get("template", {}).get("metadata", {})
        annotations = annotations.get("annotations", {})
        if f"{INJECT}agent-inject" in annotations:
            init_only = annotations.get(f"{INJECT}agent-pre-populate-only") == "true"
            assert init_only is (document["kind"] == "Job")


def test_an_address_ends_without_a_line_break() -> None:
    """It would become a part of the address: of the last file name in it."""
    urls = [
        value
        for path in FILES
        for _, template in templates(path)
        for key, value in template["metadata"].get("annotations", {}).items()
        if key.endswith("agent-inject-template-database-url")
    ]
    assert len(urls) == 2
    assert all(url.endswith("{{- end -}}\n") for url in urls)


def test_the_agents_configuration_is_hcl_and_ends_with_the_login() -> None:
    (config,) = [
        document["data"]["agent.hcl"]
        for document in documents(EXAMPLES / "init-container.yaml")
        if document["kind"] == "ConfigMap"
    ]
    parsed = load_hcl(config)
    assert parsed["exit_after_auth"] is True
    assert parsed["vault"][0]["ca_cert"].strip('"') == "/etc/vault-ca/ca.crt"


def test_a_job_with_a_database_login_ends_before_it() -> None:
    (job,) = documents(EXAMPLES / "training-job-database.yaml")
    assert job["spec"]["activeDeadlineSeconds"] < min(3600, GRANTS["ml-training"].ttl_seconds)


def test_database_logins_are_not_polled_or_copied() -> None:
    """Each poll of the CSI driver, and each refresh of the operator, would make another login."""
    for name in ("csi.yaml", "external-secrets.yaml"):
        assert all("/data/" in path for path in paths_read(EXAMPLES / name))


def test_what_local_cannot_run_says_so() -> None:
    assert "Not run on `local`" in (EXAMPLES / "csi.yaml").read_text()


def test_only_the_served_api_version_is_used() -> None:
    kinds = documents(EXAMPLES / "external-secrets.yaml")
    versions = {d["apiVersion"] for d in kinds if "external-secrets" in d["apiVersion"]}
    assert versions == {"external-secrets.io/v1"}


def test_every_grant_is_used() -> None:
    assert {role for path in FILES for role, *_ in roles_named(path)} == set(GRANTS)


def test_the_table_names_every_example_with_its_grants() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (EXAMPLES / "README.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    assert [row[0].strip("`") for row in rows] == [
        "training-job.yaml",
        "training-job-database.yaml",
        "notebook.yaml",
        "serving.yaml",
        "init-container.yaml",
        "csi.yaml",
        "external-secrets.yaml",
    ]
    assert {row[0].strip("`") for row in rows} == {path.name for path in FILES}
    for row in rows:
        path = EXAMPLES / row[0].strip("`")
        assert set(re.findall(r"`([^`]+)`", row[4])) == {role for role, *_ in roles_named(path)}
        shown = {re.sub(r"^secret/", "secret/data/", p) for p in re.findall(r"`([^`]+)`", row[3])}
        assert shown == paths_read(path)


@pytest.mark.parametrize("grant", GRANTS.values(), ids=GRANTS)
def test_every_grant_fits_the_life_of_the_logins_it_gives(grant: Grant) -> None:
    """Logins as the engine makes them unless a role says otherwise: an hour, a day at most."""
    leases = [
        Lease(path=f"database/creds/{name}", ttl=3600, max_ttl=24 * 3600) for name in grant.database
    ]
    agent = Delivery(name="agent", renewal=Renewal.AGENT)
    assert mismatches(Token.of(grant), leases, [agent]) == ()
