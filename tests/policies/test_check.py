"""The checker: four kinds of input, four kinds of report, one exit status."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from cli.policy import app
from policies.check import Report, check
from policies.formats import Format, render
from policies.judge import Status
from policies.rule import Environment, Level
from policies.rules import ALL

TODAY = date(2030, 6, 1)
MARK = "4dabf18193072939515e22adb298388d"
SECRET = {MARK: "1b47061264138c4ac30d75fd1eb44270"}
WIDE_ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ml}
rules:
  - {apiGroups: [""], resources: [secrets], verbs: [list]}
"""


def entry(kind: str, name: str, /, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::strongroom::{kind}::{name}"
    return {"urn": urn, "type": kind, "custom": True, "inputs": inputs}


def exported(*resources: dict[str, Any]) -> str:
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def checked(
    path: Path,
    environment: Environment = Environment.PROD,
    waivers: str = "waivers: []",
    **files: str,
) -> Report:
    listed = []
    for name, text in files.items():
        file = path / name.replace("__", ".")
        file.write_text(text)
        listed.append(file)
    excuses = path / "excuses"
    excuses.write_text(waivers)
    return check(listed, environment, waivers=excuses, today=TODAY)


def found(report: Report) -> list[tuple[str, str]]:
    return [(o.rule.id, o.resource) for o in report.having(Status.BROKEN)]


def test_manifests_are_judged_with_their_place(tmp_path: Path) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1"}]})
    report = checked(tmp_path, a__yaml=f"{WIDE_ROLE}---\n---\n{WIDE_ROLE}", b__json=listed)
    assert found(report) == [("secret-reads-are-named", "Role ml/reader")] * 2
    assert report.outcomes[0].urn == f"{tmp_path / 'a.yaml'}#Role/ml/reader"
    (unread,) = report.unread
    assert unread.broken
    assert "has not the form that it seems to have (KeyError('kind'))" in unread.reason


BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: wide}
roleRef: {kind: ClusterRole, name: cluster-admin}
"""


@pytest.mark.parametrize("more", ["Statement: []", "deployment: {resources: [{urn: x}]}"])
def test_a_key_that_the_api_server_drops_makes_a_manifest_nothing_else(
    tmp_path: Path, more: str
) -> None:
    report = checked(tmp_path, a__yaml=BINDING + more)
    assert found(report) == [("rbac-no-admin-binding", "ClusterRoleBinding wide")]


def test_the_items_of_a_list_of_one_kind_are_judged(tmp_path: Path) -> None:
    items = "items: [{metadata: {name: wide}, roleRef: {name: cluster-admin}}]"
    head = BINDING.partition("metadata")[0].replace("Binding", "BindingList")
    report = checked(tmp_path, a__yaml=head + items)
    assert found(report) == [("rbac-no-admin-binding", "ClusterRoleBinding wide")]


def test_a_patch_is_judged_like_the_object(tmp_path: Path) -> None:
    patch = entry(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBindingPatch",
        "more",
        roleRef={"name": "cluster-admin"},
    )
    assert found(checked(tmp_path, state__json=exported(patch))) == [
        ("rbac-no-admin-binding", "more")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 5000, "nested too deep"),
        ("Statement: &s [*s]", "or its anchors a circle"),
        (
            "a0: &a0 [x]\n"
            + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(9)),
            "more than 2000000 values",
        ),
    ],
)
def test_yaml_that_never_ends_stops_and_is_named(tmp_path: Path, text: str, said: str) -> None:
    report = checked(tmp_path, a__yaml=text)
    assert report.stops
    assert [said in unread.reason for unread in report.unread] == [True]


def test_a_name_cannot_write_lines_of_a_report(tmp_path: Path) -> None:
    name = "wide\n::error::\x1b[2K\x00\ud800\u202e"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"name": "cluster-admin"},
    }
    file, excuses = tmp_path / "a b#c.json", tmp_path / "excuses"
    file.write_text(json.dumps(binding))
    excuses.write_text("waivers: []")
    report = check([file], Environment.PROD, waivers=excuses, today=TODAY)
    spelled = r"wide\n::error::\x1b[2K\x00\ud800\u202e"
    assert found(report) == [("rbac-no-admin-binding", f"ClusterRoleBinding {spelled}")]
    texts = {form: render(report, form) for form in Format}
    for text in texts.values():
        assert "\x1b" not in text
        text.encode()
    assert len(texts[Format.TEXT].splitlines()) == 2
    Xml.fromstring(texts[Format.JUNIT])  # noqa: S314 -- our own text
    (result,) = json.loads(texts[Format.SARIF])["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert location.endswith("/a%20b%23c.json")


def test_an_exported_stack_is_judged_as_a_whole(tmp_path: Path) -> None:
    key = entry("aws:kms/key:Key", "key", enableKeyRotation=True, deletionWindowInDays=7)
    secret = entry("aws:secretsmanager/secret:Secret", "secret", kmsKeyId="alias/strongroom")
    rotation = entry(
        "aws:secretsmanager/secretRotation:SecretRotation",
        "rotation",
        secretId="fake-arn",
        rotationRules={"automaticallyAfterDays": 30},
    )
    state = exported(key, secret, rotation, {**key, "delete": True}, {"urn": "urn:x::component"})
    assert found(checked(tmp_path, state__json=state)) == [
        ("kms-deletion-is-slow", "key"),
        ("secret-rotates", "secret"),
    ]
    rotation["propertyDependencies"] = {"secretId": [secret["urn"]]}
    state = json.dumps({"checkpoint": {"latest": {"resources": [secret, rotation]}}})
    assert found(checked(tmp_path, state__json=state)) == []


def test_what_a_state_holds_encrypted_is_not_checked_and_given_all_the_same(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        state__json=exported(
            entry("vault:index/policy:Policy", "sealed", policy={**SECRET, "ciphertext": "x"}),
            entry("vault:kv/secretV2:SecretV2", "value", dataJson={**SECRET, "ciphertext": "x"}),
            entry("kubernetes:core/v1:Namespace", "shown", metadata={**SECRET, "plaintext": "{}"}),
        ),
    )
    assert ("vault-no-stored-credential", "value") in found(report)
    assert ("namespace-pod-security", "shown") in found(report)
    unchecked = report.having(Status.NOT_CHECKED)
    assert {o.evidence for o in unchecked} == {"policy: encrypted in the state"}


def test_what_a_provider_notes_for_itself_is_no_property(tmp_path: Path) -> None:
    role = entry(
        "vault:jwt/authBackendRole:AuthBackendRole",
        "ci",
        boundClaims={"__defaults": []},
        boundAudiences=["vault"],
    )
    broken = found(checked(tmp_path, state__json=exported(role)))
    assert ("vault-role-jwt-is-bound", "ci") in broken


def test_vault_policies_and_server_configurations_are_told_apart(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        team__hcl='path "secret/*" { capabilities = ["read"] }',
        server__hcl='listener "tcp" {\n  tls_disable = true\n}\n',
        shouting__hcl='LISTENER\t"tcp" {\n  TLS_DISABLE = true\n}\n',
        hidden__hcl='/*\nlistener \n*/ path "secret/*" { capabilities = ["read"] }',
        old__json='{"path": {"secret/*": {"policy": "read"}}}',
    )
    assert sorted(found(report)) == [
        ("vault-listener-tls", "server"),
        ("vault-listener-tls", "shouting"),
        ("vault-policy-names-mounts", "hidden"),
        ("vault-policy-names-mounts", "old"),
        ("vault-policy-names-mounts", "team"),
    ]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ({"Action": "iam:CreateAccessKey"}, "iam-no-escalation"),
        ({"Action": "sts:AssumeRole", "Principal": "*"}, "trust-names-principals"),
        ({"Action": "kms:Decrypt", "Principal": "*"}, "kms-key-policy-names-principals"),
        (
            {"Action": "secretsmanager:GetSecretValue", "Principal": {"AWS": "*"}},
            "secret-policy-names-principals",
        ),
    ],
)
def test_an_iam_document_is_judged_as_what_it_is(
    tmp_path: Path, statement: dict[str, Any], rule: str
) -> None:
    document = {"Statement": {"Effect": "Allow", "Resource": "*", **statement}}
    assert rule in [
        rule_id for rule_id, _ in found(checked(tmp_path, a__json=json.dumps(document)))
    ]


def test_a_file_that_cannot_be_read_stops_and_is_named(tmp_path: Path) -> None:
    report = checked(tmp_path, a__yaml="a: [", b__json="{", c__yaml="name: nothing known")
    assert report.stops
    assert [unread.broken for unread in report.unread] == [True, True, True]
    assert "NOT CHECKED: " in render(report, Format.TEXT)


def test_a_folder_with_nothing_to_judge_stops(tmp_path: Path) -> None:
    excuses = tmp_path / "excuses"
    excuses.write_text("waivers: []")
    (tmp_path / "manifests").mkdir()
    report = check([tmp_path / "manifests"], Environment.PROD, waivers=excuses, today=TODAY)
    assert report.stops
    (unread,) = report.unread
    assert unread.place.endswith("/manifests")


def test_in_a_folder_unknown_files_do_not_stop(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text(exported(entry("aws:kms/key:Key", "key")))
    (tmp_path / "values.yaml").write_text("server: {}")
    (tmp_path / "README.md").write_text("no known suffix")
    (tmp_path / "excuses").write_text("waivers: []")
    report = check([tmp_path], Environment.LOCAL, waivers=tmp_path / "excuses", today=TODAY)
    assert not report.stops
    assert [unread.broken for unread in report.unread] == [False]


def test_levels_follow_the_environment(tmp_path: Path) -> None:
    state = exported(entry("aws:kms/key:Key", "key"))
    for environment, stops in ((Environment.LOCAL, False), (Environment.PROD, True)):
        report = checked(tmp_path, environment, state__json=state)
        assert found(report) == [("kms-key-rotates", "key")]
        assert report.stops is stops


EXCUSE = """\
waivers:
  - rule: secret-reads-are-named
    urn: "*#Role/ml/reader"
    reason: a test
    owner: platform
    expires: {}
"""


def test_a_waiver_holds_in_the_checker_as_in_the_pack(tmp_path: Path) -> None:
    report = checked(tmp_path, waivers=EXCUSE.format("2030-06-01"), a__yaml=WIDE_ROLE)
    assert not report.stops
    assert [o.status for o in report.outcomes] == [Status.WAIVED]
    assert "Waived until 2030-06-01 by platform: a test." in render(report, Format.TEXT)
    report = checked(tmp_path, waivers=EXCUSE.format("2030-05-31"), a__yaml=WIDE_ROLE)
    assert report.stops
    assert "The waiver of platform lapsed on 2030-05-31." in render(report, Format.TEXT)


def test_a_malformed_waiver_stops_and_an_unused_one_is_told(tmp_path: Path) -> None:
    assert checked(tmp_path, waivers="waivers: [{}]", a__yaml="a: b").stops
    report = checked(tmp_path, waivers=EXCUSE.format("2030-06-01"), a__hcl="")
    assert "excuses nothing here" in render(report, Format.TEXT)


@pytest.fixture
def mixed(tmp_path: Path) -> Report:
    """One of everything: mandatory, advisory, waived, not checked, unread, malformed, unused."""
    state = exported(
        entry("aws:kms/key:Key", "key", enableKeyRotation=False),
        entry("vault:index/policy:Policy", "bad", name="bad", policy="path {"),
        entry("kubernetes:core/v1:Namespace", "ns", metadata={}),
    )
    return checked(
        tmp_path,
        Environment.DEV,
        waivers=EXCUSE.format("2030-06-01")
        + "  - {}\n"
        + EXCUSE.format("2030-06-01")[9:].replace("ml", "no"),
        a__yaml=WIDE_ROLE,
        state__json=state,
        broken__json="{",
    )


def test_text_tells_what_stops_first_and_counts(mixed: Report) -> None:
    lines = render(mixed, Format.TEXT).splitlines()
    assert lines[0].startswith("MANDATORY: ns: metadata.labels has no")
    assert any(line.startswith("ADVISORY: key: enableKeyRotation is false") for line in lines)
    assert any(
        line.startswith("NOT CHECKED: bad: policy: policy 'bad' is neither") for line in lines
    )
    assert any("waiver 2: rule is missing. It excuses nothing." in line for line in lines)
    assert lines[-1].startswith("4 resources, ")
    assert ", dev: 1 mandatory, " in lines[-1]
    assert ", 1 waived, " in lines[-1]


def test_json_holds_every_rule_and_outcome(mixed: Report) -> None:
    data = json.loads(render(mixed, Format.JSON))
    assert data["stops"] is True
    assert [rule["id"] for rule in data["rules"]] == [rule.id for rule in ALL]
    assert {outcome["status"] for outcome in data["outcomes"]} == set(Status)
    assert len(data["outcomes"]) == len(mixed.outcomes)
    assert all(outcome["file"] for outcome in data["outcomes"])
    assert len(data["waivers"]["unused"]) == 1


def test_sarif_has_what_the_standard_asks_for(mixed: Report) -> None:
    log = json.loads(render(mixed, Format.SARIF))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["results"]) == len(mixed.outcomes)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert (result["kind"] == "fail") is (result["level"] != "none")
        place = result["locations"][0]
        assert place["physicalLocation"]["artifactLocation"]["uri"]
        assert place["logicalLocations"][0]["fullyQualifiedName"]
    kinds = [result["kind"] for result in run["results"]]
    assert kinds.count("open") == len(mixed.having(Status.NOT_CHECKED))
    suppressed = [result for result in run["results"] if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == ["secret-reads-are-named"]
    prints = [result["partialFingerprints"]["outcome/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_junit_counts_what_it_holds(mixed: Report) -> None:
    (suite,) = Xml.fromstring(render(mixed, Format.JUNIT))  # noqa: S314 -- our own text
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases)
    stopping = [o for o in mixed.outcomes if o.stops]
    failures = len(stopping) + len(mixed.waivers.problems)
    assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"]) == failures
    assert int(suite.attrib["errors"]) == 1
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped")) > 0
    advisory = [o for o in mixed.having(Status.BROKEN) if o.level is Level.ADVISORY]
    told = [e.text for e in suite.findall("testcase/system-out")]
    assert sum("ADVISORY" in (text or "") for text in told) == len(advisory)
    assert {case.attrib["classname"] for case in cases} >= {rule.id for rule in ALL}


@pytest.mark.parametrize(
    ("text", "status"), [(WIDE_ROLE, 1), (WIDE_ROLE.replace("list", "create"), 0)]
)
def test_the_command_ends_with_what_was_found(tmp_path: Path, text: str, status: int) -> None:
    file = tmp_path / "role.yaml"
    file.write_text(text)
    result = CliRunner().invoke(
        app, ["check", str(file), "--format", "json", "--environment", "prod"]
    )
    assert result.exit_code == status
    assert json.loads(result.stdout)["stops"] is bool(status)


def test_the_command_refuses_a_path_that_is_not_there(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["check", str(tmp_path / "gone.yaml")]).exit_code == 2


def test_the_rules_are_listed_with_their_level(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["rules", "--environment", "dev"]).stdout
    assert [line.split()[0] for line in said.splitlines() if line[0] != " "] == [r.id for r in ALL]
    assert "kms-key-rotates  [advisory, medium]" in said
    assert "namespace-pod-security  [mandatory, high]" in said
