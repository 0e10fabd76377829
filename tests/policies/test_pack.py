"""The wiring: proxies, unknown values and the words of a violation."""

from __future__ import annotations

import pytest
from pulumi_policy import ResourceValidationArgs
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from policies.pack import plain, policy
from policies.rule import UNKNOWN, Rule
from policies.rules.namespace_pod_security import NAMESPACE_POD_SECURITY
from policies.rules.secret_reads_are_named import SECRET_READS_ARE_NAMED


def judge(rule: Rule, props: dict[str, object], reported: list[str]) -> None:
    args = ResourceValidationArgs(
        resource_type=min(rule.resource_types),
        props=unknown_checking_proxy(props),
        urn="urn:pulumi:local::strongroom::any::subject",
        name="subject",
        opts=None,  # type: ignore[arg-type]  # no rule looks at the options
        provider=None,
    )
    policy(rule).validate(args, lambda message, _urn: reported.append(message))


def test_plain_keeps_known_parts_beside_unknown_ones() -> None:
    proxied = unknown_checking_proxy({"a": {"b": UNKNOWN_STRING_VALUE, "c": [1, {"d": 2}]}})
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
    ]
    reported: list[str] = []
    with pytest.raises(UnknownValueError):
        judge(SECRET_READS_ARE_NAMED, {"rules": entries}, reported)
    assert len(reported) == 1
    assert "rules[1]" in reported[0]
