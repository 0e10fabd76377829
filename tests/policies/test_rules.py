"""Every rule against the six kinds of case that decide whether it can be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pulumi_vault
import pytest

from policies.resource_types import AUTH_ROLES, IDENTITIES, VAULT_TOKEN
from policies.rule import Environment, Finding, Judgement, Level, NotChecked, Requirement
from policies.rules import ALL
from tests.policies.cases.case import KINDS, Case, judgements

MODULES = sorted(p.stem for p in (Path(__file__).parent / "cases").glob("*.py") if p.stem != "case")
CASES: dict[str, dict[str, Case]] = {
    rule_id: cases
    for module in MODULES
    for rule_id, cases in import_module(f"tests.policies.cases.{module}").CASES.items()
}
WRONG = ("fail", "wildcard", "second-position")

by_rule = pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)


def test_every_rule_has_every_kind_of_case() -> None:
    assert {rule.id for rule in ALL} == set(CASES)
    assert {rule.id: KINDS - set(CASES[rule.id]) for rule in ALL} == {
        rule.id: frozenset() for rule in ALL
    }


def contradicted(
    rule: Requirement, say: Callable[[list[Judgement]], list[Judgement]] = lambda said: said
) -> set[str]:
    """The kinds of case that the rule gets wrong, when what it says passes through `say`."""
    return {
        kind
        for kind, case in CASES[rule.id].items()
        if case.contradicted_by(say(judgements(rule, case.subject)))
    }


@by_rule
def test_a_rule_says_what_each_case_deserves(rule: Requirement) -> None:
    assert contradicted(rule) == set()


@by_rule
def test_a_rule_that_cannot_find_goes_red(rule: Requirement) -> None:
    assert contradicted(rule, lambda said: [j for j in said if isinstance(j, NotChecked)]) >= {
        *WRONG
    }


@by_rule
def test_a_rule_that_always_finds_goes_red(rule: Requirement) -> None:
    always = Finding(evidence="everything is wrong", fix="none")
    assert contradicted(rule, lambda said: [*said, always]) >= {"pass", "not-applicable"}


@by_rule
def test_a_rule_that_takes_unknown_for_a_pass_goes_red(rule: Requirement) -> None:
    assert "unknown" in contradicted(rule, lambda said: [j for j in said if isinstance(j, Finding)])


@by_rule
def test_a_rule_carries_what_a_reviewer_needs(rule: Requirement) -> None:
    assert rule.title.endswith(".")
    assert "must" in rule.title
    assert rule.frameworks
    assert rule.remediation.endswith(".")
    assert rule.resource_types
    assert set(rule.levels) == set(Environment)


@by_rule
def test_production_is_never_less_strict(rule: Requirement) -> None:
    strict = [rule.levels[env] is Level.MANDATORY for env in Environment]
    assert strict == sorted(strict)


def test_ids_are_unique_and_speak_of_their_file() -> None:
    assert len({rule.id for rule in ALL}) == len(ALL)


def types_of_vault_with(name: str) -> set[str]:
    """The types of the Vault provider whose arguments include `name`."""
    texts = (path.read_text() for path in Path(pulumi_vault.__file__).parent.rglob("*.py"))
    return {
        made[1]
        for text in texts
        if f'pulumi.set(__self__, "{name}"' in text
        and (made := re.search(r"__self__\)\.__init__\(\s*'([^']+)'", text))
    }


def test_rules_on_roles_speak_of_every_login() -> None:
    lifetime = next(rule for rule in ALL if rule.id == "vault-role-token-lifetime")
    assert lifetime.resource_types == AUTH_ROLES
    assert types_of_vault_with("token_no_default_policy") == AUTH_ROLES


def test_rules_on_policies_speak_of_every_user_and_group() -> None:
    of_other_systems = {
        "vault:consul/secretBackendRole:SecretBackendRole",
        "vault:index/nomadSecretRole:NomadSecretRole",
    }
    give_none = {
        "vault:appRole/authBackendLogin:AuthBackendLogin",
        "vault:aws/authBackendLogin:AuthBackendLogin",
        "vault:aws/authBackendRoleTag:AuthBackendRoleTag",
    }
    named = types_of_vault_with("policies")
    assert named == IDENTITIES | {VAULT_TOKEN} | of_other_systems | give_none
