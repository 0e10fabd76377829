"""The wiring: proxies, unknown values, environments, waivers and the words of a violation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import (
    EnforcementLevel,
    PolicyResource,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from policies.pack import environment, plain, policies, policy
from policies.rule import Environment, Rule
from policies.rules import ALL
from policies.rules.aws.kms_key_rotates import RULE as KMS_KEY_ROTATES
from policies.rules.kubernetes.namespace_pod_security import RULE as NAMESPACE_POD_SECURITY
from policies.rules.kubernetes.secret_reads_are_named import RULE as SECRET_READS_ARE_NAMED
from policies.rules.vault.two_audit_devices import RULE as TWO_AUDIT_DEVICES
from policies.view import UNKNOWN
from policies.waivers import Waiver, Waivers

REPOSITORY = Path(__file__).parents[2]
TODAY = date(2030, 1, 1)
NONE = Waivers(today=TODAY)
URN = "urn:pulumi:local::strongroom::any::subject"
NAMESPACE = "kubernetes:core/v1:Namespace"


def waivers(expires: date, rule: str = NAMESPACE_POD_SECURITY.id, urn: str = "urn:*") -> Waivers:
    waiver = Waiver(rule=rule, urn=urn, reason="a test", owner="platform", expires=expires)
    return Waivers(today=TODAY, entries=(waiver,))


def judge(
    rule: Rule, props: dict[str, object], reported: list[str], excuses: Waivers = NONE
) -> None:
    args = ResourceValidationArgs(
        resource_type=min(rule.resource_types),
        props=unknown_checking_proxy(props),
        urn=URN,
        name="subject",
        opts=None,  # type: ignore[arg-type]  # no rule looks at the options
        provider=None,
    )
    made = policy(rule, Environment.PROD, excuses)
    assert isinstance(made, ResourceValidationPolicy)
    made.validate(args, lambda message, _urn: reported.append(message))


def test_plain_keeps_known_parts_beside_unknown_ones() -> None:
    props = {"a": {"b": UNKNOWN_STRING_VALUE, "c": [1, {"d": 2, "__defaults": []}]}}
    proxied = unknown_checking_proxy(props)
    assert plain(proxied) == {"a": {"b": UNKNOWN, "c": [1, {"d": 2}]}}


def test_a_violation_names_resource_evidence_and_fix() -> None:
    reported: list[str] = []
    judge(NAMESPACE_POD_SECURITY, {"metadata": {"name": "x"}}, reported)
    (message,) = reported
    assert message.startswith("subject: ")
    assert "metadata.labels has no pod-security.kubernetes.io/enforce" in message
    assert "Fix: set metadata.labels" in message


def test_an_unknown_first_entry_does_not_hide_a_fault_in_the_second() -> None:
    entries = [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": [UNKNOWN_STRING_VALUE]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
        UNKNOWN_STRING_VALUE,
    ]
    reported: list[str] = []
    with pytest.raises(UnknownValueError) as unknown:
        judge(SECRET_READS_ARE_NAMED, {"rules": entries}, reported)
    assert len(reported) == 1
    assert "rules[1]" in reported[0]
    assert unknown.value.message.startswith("NOT CHECKED: subject: rules[0].verbs[0]: unknown")
    assert "rules[2]" in unknown.value.message


def test_a_waiver_excuses_until_its_last_day_and_a_lapsed_one_is_told() -> None:
    reported: list[str] = []
    judge(NAMESPACE_POD_SECURITY, {}, reported, waivers(expires=TODAY))
    assert reported == []
    judge(NAMESPACE_POD_SECURITY, {}, reported, waivers(expires=date(2029, 12, 31)))
    assert "The waiver of platform lapsed on 2029-12-31." in reported[0]


def stack_messages(
    made: StackValidationPolicy, *resources: PolicyResource
) -> list[tuple[str, str]]:
    reported: list[tuple[str, str]] = []

    def report(message: str, urn: str | None) -> None:
        reported.append((message, urn or ""))

    made.validate(StackValidationArgs(list(resources)), report)
    return reported


def test_a_stack_rule_reports_at_the_resource() -> None:
    device = PolicyResource(
        resource_type="vault:index/audit:Audit",
        props=unknown_checking_proxy({"type": "file", "options": {"file_path": "/a"}}),
        urn=URN,
        name="audit",
        opts=None,  # type: ignore[arg-type]  # no rule looks at the options
        provider=None,
        parent=None,
        dependencies=[],
        property_dependencies={},
    )
    made = policy(TWO_AUDIT_DEVICES, Environment.PROD, NONE)
    assert isinstance(made, StackValidationPolicy)
    ((message, urn),) = stack_messages(made, device)
    assert message.startswith("audit: 1 audit device(s)")
    assert urn == URN


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"strongroom:environment": "dev"}, Environment.DEV),
        ({"strongroom:environment": "staging"}, Environment.PROD),
        ({}, Environment.PROD),
    ],
)
def test_an_environment_that_nobody_names_is_judged_as_production(
    config: dict[str, str], expected: Environment
) -> None:
    assert environment(config) is expected


def test_levels_follow_the_environment() -> None:
    for env, level in (
        (Environment.DEV, EnforcementLevel.ADVISORY),
        (Environment.PROD, EnforcementLevel.MANDATORY),
    ):
        assert policy(KMS_KEY_ROTATES, env, NONE).enforcement_level is level


def test_malformed_waivers_stop_and_all_others_are_told() -> None:
    excuses = waivers(expires=TODAY)
    excuses.problems = ("waivers.yaml, waiver 2: owner is missing",)
    *_, wrong, told = policies((), Environment.DEV, excuses)
    assert isinstance(wrong, StackValidationPolicy)
    assert isinstance(told, StackValidationPolicy)
    assert wrong.enforcement_level is EnforcementLevel.MANDATORY
    assert "waiver 2: owner is missing. It excuses nothing." in stack_messages(wrong)[0][0]
    assert "excuses nothing here" in stack_messages(told)[0][0]
    judge(NAMESPACE_POD_SECURITY, {}, [], excuses)
    ((message, _),) = stack_messages(told)
    assert message.endswith("(platform, until 2030-01-01) is in force here: a test.")


@pytest.fixture(scope="module")
def served() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """The pack as the engine starts it, for a stack of the dev environment."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "localhost:1", "."],
        cwd=REPOSITORY / "policies",
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = analyzer_pb2_grpc.AnalyzerStub(channel)
            # The engine's first call: it tells the stack's configuration to a running pack.
            stub.ConfigureStack(
                analyzer_pb2.AnalyzerStackConfigureRequest(config={"strongroom:environment": "dev"})
            )
            yield stub
    finally:
        process.kill()
        process.wait()


def test_the_served_pack_holds_every_rule_at_the_level_of_its_stack(
    served: analyzer_pb2_grpc.AnalyzerStub,
) -> None:
    info = served.GetAnalyzerInfo(empty_pb2.Empty())
    assert {p.name for p in info.policies} >= {rule.id for rule in ALL}
    levels = {p.name: p.enforcementLevel for p in info.policies}
    assert levels[KMS_KEY_ROTATES.id] == analyzer_pb2.ADVISORY
    assert levels[NAMESPACE_POD_SECURITY.id] == analyzer_pb2.MANDATORY


def test_the_served_pack_judges_a_resource(served: analyzer_pb2_grpc.AnalyzerStub) -> None:
    properties = json_format.ParseDict({"metadata": {"name": "ml"}}, struct_pb2.Struct())
    request = analyzer_pb2.AnalyzeRequest(
        type=NAMESPACE, properties=properties, urn=URN, name="ml-training"
    )
    (violation,) = served.Analyze(request).diagnostics
    assert violation.policyName == NAMESPACE_POD_SECURITY.id
    assert "ml-training: metadata.labels has no" in violation.message
