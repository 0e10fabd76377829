"""VaultCluster as the engine is asked for it, before and after there is a certificate."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi_random import RandomId

from components.vault.cluster import (
    CLUSTER_ROLE,
    ChartOrigin,
    ChartSource,
    VaultCluster,
    VaultClusterArgs,
    keep_claims,
    let_webhooks_be_watched_only,
    protect_servers,
)
from components.vault.tls import CertManager, GivenSecret, OwnCa, server_sans, webhook_sans
from tests.unit.support.monitor import UNKNOWN, Deployment, Registration, deploy
from tests.unit.support.transforms import Transforms
from tests.unit.vault.samples import CHART, FAKE_CA, vault_values

CERTIFICATE = "pulumi-python:dynamic/vault:ServerCertificate"
CHART_TYPE = "kubernetes:helm.sh/v4:Chart"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
KEYS = {
    "server_key": "fake-server-key",
    "authority_key": "fake-authority-key",
    "successor_key": "fake-successor-key",
}
OUTPUTS: dict[str, dict[str, Any]] = {
    CERTIFICATE: {"bundle_pem": FAKE_CA, "server_pem": "fake-server-certificate", **KEYS},
    CHART_TYPE: {"resources": []},
}
LOCAL_CHART = ChartSource(origin=ChartOrigin.PATH, location=str(CHART))
ARGS = VaultClusterArgs(
    namespace="secrets", namespace_name="secrets", values=vault_values(), chart=LOCAL_CHART
)


def run(args: VaultClusterArgs = ARGS, *, preview: bool = False) -> Deployment:
    def program() -> None:
        provider = k8s.Provider("k8s")
        cluster = VaultCluster("vault", args, pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("ready", cluster.ready)
        pulumi.export("ca", cluster.ca_pem)
        pulumi.export("namespace", cluster.namespace)

    return deploy(program, preview=preview, outputs=OUTPUTS)


def chart_of(deployed: Deployment) -> Registration:
    return deployed.one(CHART_TYPE, "vault-chart")


@pytest.mark.parametrize("preview", [False, True])
def test_the_tree_is_as_pinned(preview: bool) -> None:
    assert run(preview=preview).tree() == [
        "pulumi:providers:kubernetes k8s",
        "strongroom:vault:Cluster vault",
        "  kubernetes:core/v1:ConfigMap vault-ca",
        "  kubernetes:core/v1:Secret vault-tls",
        "  kubernetes:core/v1:Secret vault-webhook-tls",
        "  kubernetes:helm.sh/v4:Chart vault-chart",
        f"  {CERTIFICATE} vault-certificate",
        f"  {CERTIFICATE} vault-webhook-certificate",
    ]


@pytest.mark.parametrize("preview", [False, True])
def test_every_kubernetes_resource_has_the_explicit_provider(preview: bool) -> None:
    deployed = run(preview=preview)
    for resource in deployed.resources:
        if resource.type.startswith("kubernetes:"):
            named = {reference.split("::")[-2] for reference in _providers(resource)}
            assert named == {"k8s"}, resource.name


def _providers(resource: Registration) -> list[str]:
    request = resource.request
    return [p for p in (request.provider, *request.providers.values()) if p]


@pytest.mark.parametrize("preview", [False, True])
def test_private_keys_are_secret_and_reach_only_the_secrets(preview: bool) -> None:
    deployed = run(preview=preview)
    for certificate in deployed.of_type(CERTIFICATE):
        assert certificate.additional_secret_outputs == set(KEYS)
    secrets = deployed.of_type(SECRET)
    if not preview:
        for secret in secrets:
            assert secret.secret_inputs == {"stringData"}
            assert secret.inputs["stringData"]["tls.key"] == KEYS["server_key"]
    others = json.dumps([r.inputs for r in deployed.resources if r not in secrets])
    assert not [key for key in KEYS.values() if key in others]
    assert "fake-authority-key" not in json.dumps([secret.inputs for secret in secrets])


def test_the_certificate_names_what_joining_servers_dial() -> None:
    args = replace(ARGS, client_hosts=("vault.example.com", "10.0.0.7"))
    certificate = run(args).one(CERTIFICATE, "vault-certificate").inputs
    names = server_sans("vault", "secrets", 3, client_hosts=args.client_hosts)
    assert frozenset(certificate["dns_names"]) == names.dns
    assert frozenset(certificate["addresses"]) == names.addresses


def test_the_chart_waits_for_the_certificate_and_for_what_the_caller_names() -> None:
    waited: list[pulumi.Resource] = []

    def program() -> None:
        waited.append(RandomId("seal-key", byte_length=4))
        VaultCluster("vault", replace(ARGS, chart_wait=tuple(waited)))

    deployed = deploy(program, outputs=OUTPUTS)
    made = {r.urn for r in (*deployed.of_type(SECRET), *deployed.of_type(CONFIG_MAP))}
    assert len(made) == 3
    key = deployed.one("random:index/randomId:RandomId").urn
    assert chart_of(deployed).depends_on >= made | {key}


def test_outputs_are_known_after_up() -> None:
    assert run().exports == {"ready": True, "ca": FAKE_CA, "namespace": "secrets"}


def test_before_the_first_up_the_cas_are_unknown_and_nothing_else_is() -> None:
    deployed = run(preview=True)
    assert deployed.one(CONFIG_MAP).inputs["data"] == {"ca.crt": UNKNOWN}
    values = chart_of(deployed).inputs["values"]
    variables = values["injector"].pop("extraEnvironmentVars")
    assert variables == {"AGENT_INJECT_VAULT_CACERT_BYTES": UNKNOWN}
    assert values["injector"]["certs"].pop("caBundle") == UNKNOWN
    assert UNKNOWN not in json.dumps(values)


def test_ready_is_unknown_until_the_chart_is_applied() -> None:
    assert run(preview=True).exports == {}


@pytest.mark.parametrize("replicas", [3, 5])
def test_replicas_reach_the_chart_and_the_certificate(replicas: int) -> None:
    deployed = run(replace(ARGS, values=vault_values(replicas=replicas)))
    assert chart_of(deployed).inputs["values"]["server"]["ha"]["replicas"] == replicas
    names = deployed.one(CERTIFICATE, "vault-certificate").inputs["dns_names"]
    assert f"vault-{replicas - 1}.vault-internal" in names
    assert f"vault-{replicas}.vault-internal" not in names


@pytest.mark.parametrize("replicas", [-1, 0, 1, 2, 4, 6, 7])
def test_any_other_count_is_refused_with_the_way_out(replicas: int) -> None:
    with pytest.raises(ValueError, match=rf"replicas: {replicas} is not 3 or 5.*Use 3 or 5"):
        vault_values(replicas=replicas)


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        (LOCAL_CHART, {"chart": str(CHART)}),
        (
            ChartSource(
                origin=ChartOrigin.REPOSITORY,
                location="https://charts.example.com",
                version="0.31.0",
            ),
            {
                "chart": "vault",
                "version": "0.31.0",
                "repositoryOpts": {"repo": "https://charts.example.com"},
            },
        ),
        (
            ChartSource(
                origin=ChartOrigin.OCI,
                location="oci://registry.example.com/charts/vault",
                version="0.31.0",
            ),
            {"chart": "oci://registry.example.com/charts/vault", "version": "0.31.0"},
        ),
    ],
    ids=["path", "repository", "oci"],
)
def test_a_chart_source_is_asked_as_it_is_read(source: ChartSource, asked: dict[str, Any]) -> None:
    inputs = dict(chart_of(run(replace(ARGS, chart=source))).inputs)
    del inputs["values"]
    assert inputs == {"name": "vault", "namespace": "secrets", **asked}


@pytest.mark.parametrize(
    ("origin", "location", "version", "says"),
    [
        (ChartOrigin.PATH, "no/such/chart", None, "holds no Chart.yaml"),
        (ChartOrigin.REPOSITORY, "https://charts.example.com", None, "chart version: none given"),
        (ChartOrigin.REPOSITORY, "https://charts.example.com", "", "chart version: none given"),
        (ChartOrigin.REPOSITORY, "charts.example.com", "0.31.0", "no https address"),
        (ChartOrigin.REPOSITORY, "http://charts.example.com", "0.31.0", "no https address"),
        (ChartOrigin.REPOSITORY, "oci://charts.example.com", "0.31.0", "no https address"),
        (ChartOrigin.OCI, "registry.example.com/vault", "0.31.0", "no OCI reference"),
        (ChartOrigin.OCI, "oci://registry.example.com/vault", None, "chart version: none given"),
    ],
)
def test_a_wrong_chart_source_is_refused(
    origin: ChartOrigin, location: str, version: str | None, says: str
) -> None:
    with pytest.raises(ValueError, match=f"(?s){re.escape(says)}") as refused:
        ChartSource(origin=origin, location=location, version=version)
    assert location in str(refused.value)


def test_a_folder_that_is_no_chart_is_named_in_full(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        ChartSource(origin=ChartOrigin.PATH, location=str(tmp_path))


def test_cert_manager_signs_the_same_names() -> None:
    deployed = run(replace(ARGS, tls=CertManager(issuer="platform-ca", ca_pem=FAKE_CA)))
    assert not deployed.of_type(CERTIFICATE)
    assert not deployed.of_type(SECRET)
    wanted = {
        "vault-tls": server_sans("vault", "secrets", 3),
        "vault-webhook-tls": webhook_sans("vault", "secrets"),
    }
    for name, names in wanted.items():
        certificate = deployed.one("kubernetes:cert-manager.io/v1:Certificate", name).inputs
        spec = certificate["spec"]
        assert spec["dnsNames"] == sorted(names.dns)
        assert spec["ipAddresses"] == sorted(names.addresses)
        assert (spec["duration"], spec["renewBefore"]) == ("7776000s", "2592000s")
        assert spec["issuerRef"] == {"kind": "ClusterIssuer", "name": "platform-ca"}
        assert certificate["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}
    assert deployed.one(CONFIG_MAP).inputs["data"] == {"ca.crt": FAKE_CA}
    assert _trusted_of_webhook(deployed) == FAKE_CA


def test_a_secret_made_elsewhere_is_mounted_and_not_touched() -> None:
    args = replace(ARGS, tls=GivenSecret(secret_name="team-tls", ca_pem="fake-team-ca"))
    deployed = run(args)
    volumes = chart_of(deployed).inputs["values"]["server"]["volumes"]
    assert volumes[0]["projected"]["sources"][0]["secret"]["name"] == "team-tls"
    assert deployed.one(CONFIG_MAP).inputs["data"] == {"ca.crt": "fake-team-ca"}
    # It cannot speak for the webhook, so a CA of the stack's own does.
    assert deployed.one(SECRET).name == "vault-webhook-tls"
    assert _trusted_of_webhook(deployed) == FAKE_CA


@pytest.mark.parametrize("name", ["vault-certificate", "vault-webhook-certificate"])
def test_the_certificates_life_is_the_sources(name: str) -> None:
    source = OwnCa(validity=timedelta(days=10), renew_before=timedelta(days=4))
    inputs = run(replace(ARGS, tls=source)).one(CERTIFICATE, name).inputs
    assert (inputs["validity_seconds"], inputs["renew_before_seconds"]) == (864_000, 345_600)


def test_the_api_server_finds_the_injector_by_a_name_in_its_certificate() -> None:
    deployed = run()
    certificate = deployed.one(CERTIFICATE, "vault-webhook-certificate").inputs
    assert "vault-agent-injector-svc.secrets.svc" in certificate["dns_names"]
    secret = deployed.one(SECRET, "vault-webhook-tls").inputs
    certs = chart_of(deployed).inputs["values"]["injector"]["certs"]
    assert certs["secretName"] == secret["metadata"]["name"]
    assert {certs["certName"], certs["keyName"]} <= set(secret["stringData"])
    assert secret["type"] == "kubernetes.io/tls"


def test_without_an_injector_there_is_no_webhook_to_certify() -> None:
    deployed = run(replace(ARGS, values=vault_values(injectors=0)))
    assert [r.name for r in deployed.of_type(CERTIFICATE)] == ["vault-certificate"]
    assert chart_of(deployed).inputs["values"]["injector"] == {"enabled": False}


def _trusted_of_webhook(deployed: Deployment) -> str:
    bundle: str = chart_of(deployed).inputs["values"]["injector"]["certs"]["caBundle"]
    return base64.b64decode(bundle).decode()


def test_the_injector_keeps_no_right_to_change_webhooks(transforms: Transforms) -> None:
    run()
    assert transforms.registered == [let_webhooks_be_watched_only, keep_claims]
    leading = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}
    changed = let_webhooks_be_watched_only(
        _made(
            CLUSTER_ROLE,
            {
                "metadata": {"name": "vault-agent-injector-clusterrole"},
                "rules": [
                    {
                        "apiGroups": ["admissionregistration.k8s.io"],
                        "resources": ["mutatingwebhookconfigurations"],
                        "verbs": ["get", "list", "watch", "patch"],
                    },
                    leading,
                ],
            },
        )
    )
    assert changed is not None
    assert changed.props["metadata"] == {"name": "vault-agent-injector-clusterrole"}
    rules: Any = changed.props["rules"]
    assert [rule["verbs"] for rule in rules] == [["list", "watch"], ["get"]]
    assert rules[1] == leading
    assert let_webhooks_be_watched_only(_made("kubernetes:apps/v1:StatefulSet", {})) is None


@pytest.mark.parametrize("protect", [True, False])
def test_servers_are_protected_where_it_is_asked_for(transforms: Transforms, protect: bool) -> None:
    run(replace(ARGS, protect=protect))
    assert transforms.registered[:2] == [let_webhooks_be_watched_only, keep_claims]
    assert transforms.registered[2:] == [protect_servers] * protect
    servers = protect_servers(_made("kubernetes:apps/v1:StatefulSet", {"spec": {"replicas": 3}}))
    assert servers is not None
    assert servers.opts.protect
    assert servers.props == {"spec": {"replicas": 3}}
    assert protect_servers(_made(CLUSTER_ROLE, {})) is None


def test_another_size_of_the_volumes_replaces_no_server() -> None:
    servers = keep_claims(_made("kubernetes:apps/v1:StatefulSet", {"spec": {"replicas": 3}}))
    assert servers is not None
    assert servers.opts.ignore_changes == ["spec.volumeClaimTemplates"]


def _made(type_: str, props: dict[str, Any]) -> pulumi.ResourceTransformArgs:
    return pulumi.ResourceTransformArgs(
        custom=True, type_=type_, name="made", props=props, opts=pulumi.ResourceOptions()
    )
