"""Every rule against the six kinds of case that decide whether it can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from policies.rule import UNKNOWN, Finding, Judgement, NotChecked, Rule
from policies.rules import RULES

Check = Callable[[Mapping[str, Any]], Iterable[Judgement]]
Case = tuple[dict[str, Any], int, int, str]

KINDS = frozenset({"pass", "fail", "wildcard", "second-position", "unknown", "not-applicable"})
ENFORCE = "pod-security.kubernetes.io/enforce"


def namespace(**labels: object) -> dict[str, Any]:
    return {"metadata": {"name": "ml-training", "labels": labels}}


def role(*entries: object) -> dict[str, Any]:
    return {"metadata": {"name": "reader"}, "rules": list(entries)}


def secrets(
    verbs: object, names: object = None, resources: object = ("secrets",)
) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": resources, "verbs": verbs, "resourceNames": names}


NAMED = secrets(["get"], ["mlflow-credentials"])

# rule id -> kind of case -> (the resource's properties, what the rule must say: how many findings,
# how many parts not checked, and what the first finding's evidence must mention)
CASES: Mapping[str, Mapping[str, Case]] = {
    "namespace-pod-security": {
        "pass": (namespace(**{ENFORCE: "restricted"}), 0, 0, ""),
        "fail": (namespace(team="ml"), 1, 0, f"no {ENFORCE}"),
        "wildcard": (namespace(**{ENFORCE: "*"}), 1, 0, "'*', which is no level"),
        "second-position": (namespace(team="ml", **{ENFORCE: "none"}), 1, 0, "'none'"),
        "unknown": ({"metadata": {"labels": UNKNOWN}}, 0, 1, ""),
        "not-applicable": ({"metadata": {"labels": {ENFORCE: "privileged"}}}, 0, 0, ""),
    },
    "secret-reads-are-named": {
        "pass": (role(NAMED), 0, 0, ""),
        "fail": (role(secrets(["get"])), 1, 0, "without resourceNames"),
        "wildcard": (role(secrets(["*"], ["a"], ["*"])), 1, 0, "grants * on *"),
        "second-position": (role(NAMED, secrets(["get", "list"])), 1, 0, "rules[1]"),
        "unknown": (role(secrets(UNKNOWN), secrets(["watch"])), 1, 1, "rules[1]"),
        "not-applicable": (role(secrets(["list"], resources=["configmaps"])), 0, 0, ""),
    },
}


def test_every_rule_has_every_kind_of_case() -> None:
    assert {rule.id for rule in RULES} == set(CASES)
    assert {rule_id: KINDS - set(cases) for rule_id, cases in CASES.items()} == {
        rule.id: frozenset() for rule in RULES
    }


def contradicted(check: Check, cases: Mapping[str, Case]) -> set[str]:
    """The kinds of case for which `check` does not say what the case deserves."""
    wrong = set()
    for kind, (properties, findings, unknowns, evidence) in cases.items():
        judgements = list(check(properties))
        found = [j for j in judgements if isinstance(j, Finding)]
        not_checked = [j for j in judgements if isinstance(j, NotChecked)]
        as_expected = len(found) == findings and len(not_checked) == unknowns
        if not as_expected or any(evidence not in f.evidence or not f.fix for f in found[:1]):
            wrong.add(kind)
    return wrong


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_each_case_deserves(rule: Rule) -> None:
    assert contradicted(rule.check, CASES[rule.id]) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_without_its_condition_goes_red(rule: Rule) -> None:
    always = Finding(evidence="everything is wrong", fix="none")
    assert contradicted(lambda _: (), CASES[rule.id]) >= {"fail", "wildcard", "second-position"}
    assert contradicted(lambda _: (always,), CASES[rule.id]) >= {"pass", "not-applicable"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_carries_what_a_reviewer_needs(rule: Rule) -> None:
    assert rule.title.endswith(".")
    assert "must" in rule.title
    assert rule.frameworks
    assert rule.remediation
    assert rule.resource_types
