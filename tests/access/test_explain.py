"""Explanations: the rule and the policies that decide, why others lost, and parameters."""

from __future__ import annotations

import pytest

from access.evaluate import Acl
from access.policy import Capability
from access.policy_hcl import parse

READ = '{ capabilities = ["read"] }'


def acl(**policies: str) -> Acl:
    return Acl(parse(text, name.replace("_", "-")) for name, text in policies.items())


@pytest.mark.parametrize(
    ("winner", "loser", "why"),
    [
        ("secret/data/ml/mlflow", "secret/data/ml/*", "names the path exactly"),
        ("secret/data/ml/*", "secret/*", "first wildcard comes after 7 characters, that of"),
        ("secret/data/+/mlflow", "secret/+/ml/mlflow", "comes after 7 characters"),
        ("secret/data/+/mlflow", "secret/data/+/ml*", 'ends in "*"'),
        ("secret/data/+/mlflow", "secret/data/*", 'ends in "*"'),
        ("secret/data/+/mlflow", "secret/data/+/+", 'has 2 "+" segments and'),
        ("secret/data/+/ml*", "secret/data/+/m*", "is shorter than"),
    ],
)
def test_a_rule_that_lost_says_at_which_criterion(winner: str, loser: str, why: str) -> None:
    decision = acl(
        one=f'path "{loser}" {READ}', two=f'path "{winner}" {{ capabilities = ["update"] }}'
    ).explain("secret/data/ml/mlflow", Capability.UPDATE)
    assert decision.allowed
    assert (decision.rule and decision.rule.path, decision.policies) == (winner, ("two",))
    (lost,) = decision.lost
    assert (lost.rule.path, lost.rule.policies) == (loser, ("one",))
    assert why in lost.reason


def test_only_the_policies_that_give_the_capability_are_named() -> None:
    decision = acl(
        reader=f'path "a/b" {READ}', writer='path "a/b" { capabilities = ["update"] }'
    ).explain("a/b", Capability.UPDATE)
    assert decision.policies == ("writer",)
    assert decision.reason == '"a/b" (writer) allows update'


def test_a_list_is_matched_without_its_last_slash_first() -> None:
    """Vault 1.21 does so, and a deny below the slash does not stop it."""
    policies = acl(
        team='path "kv/metadata/*" { capabilities = ["list"] }',
        guard='path "kv/metadata/private/*" { capabilities = ["deny"] }',
    )
    decision = policies.explain("kv/metadata/private/", Capability.LIST)
    assert decision.allowed
    (lost,) = decision.lost
    assert lost.rule.path == "kv/metadata/private/*"
    assert "a LIST is matched without its last slash first" in lost.reason
    assert not policies.explain("kv/metadata/private/", Capability.READ).allowed


PARAMETERS = """
path "kv/x" {
  capabilities = ["create", "update", "delete", "list"]
  allowed_parameters = { "ttl" = ["1h", "2*"], "zone" = [], "note" = ["*draft*"] }
  denied_parameters = { "zone" = ["a"] }
  required_parameters = ["ttl"]
}
"""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"ttl": "1h"}, None),
        ({"ttl": "24h"}, None),
        ({"ttl": "1h", "zone": "b"}, None),
        ({"ttl": "1h", "Zone": "b"}, None),
        ({"ttl": "1h", "note": "a draft of it"}, None),
        ({}, "ttl is required and missing"),
        ({"zone": "b"}, "ttl is required and missing"),
        ({"ttl": "3h"}, "ttl is allowed, but not with this value"),
        ({"ttl": 1}, "ttl is allowed, but not with this value"),
        ({"ttl": "1h", "zone": "a"}, "zone is denied with this value"),
        ({"ttl": "1h", "other": "x"}, "other is not among the allowed ones"),
        ({"ttl": "1h", "note": "final"}, "note is allowed, but not with this value"),
        ({"ttl": "1h,2h"}, None),
        ({"ttl": ["1h", "2h"]}, None),
        ({"ttl": ""}, None),
        ({"ttl": "1h, 3h"}, "ttl is allowed, but not with this value"),
        ({"ttl": ["3h"]}, "ttl is allowed, but not with this value"),
        ({"ttl": "1h", "zone": "b,a"}, "zone is denied with this value"),
        ({"ttl": "1h", "zone": ["b", "a"]}, "zone is denied with this value"),
    ],
)
def test_parameters_decide_as_vault_lets_them(data: dict[str, object], said: str | None) -> None:
    decision = acl(p=PARAMETERS).explain("kv/x", Capability.UPDATE, data)
    assert decision.allowed is (said is None)
    assert (said or "allows update") in decision.reason


def test_parameters_are_not_judged_for_a_list_or_a_delete() -> None:
    for capability in (Capability.LIST, Capability.DELETE):
        assert acl(p=PARAMETERS).explain("kv/x", capability, {"other": 1}).allowed


def test_without_data_the_condition_is_said() -> None:
    decision = acl(p=PARAMETERS).explain("kv/x", Capability.UPDATE)
    assert decision.allowed
    assert "for requests whose parameters it lets through" in decision.reason


@pytest.mark.parametrize(
    ("one", "two", "data", "allowed"),
    [
        ('allowed_parameters = { "a" = ["1"] }', 'allowed_parameters = { "a" = ["2"] }', "2", True),
        ('allowed_parameters = { "a" = ["1"] }', 'allowed_parameters = { "a" = [] }', "3", True),
        ('allowed_parameters = { "a" = [] }', 'allowed_parameters = { "a" = ["1"] }', "3", True),
        ('allowed_parameters = { "a" = ["1"] }', 'allowed_parameters = { "*" = [] }', "3", False),
        ('allowed_parameters = { "a" = ["*"] }', "", "3", False),  # a lone star is no pattern
        ('required_parameters = ["A"]', "", "1", True),
        ("", 'allowed_parameters = { "a" = ["1"] }', "3", False),
        ('denied_parameters = { "a" = ["1"] }', 'denied_parameters = { "a" = [] }', "3", False),
        ('denied_parameters = { "a" = ["1"] }', "", "1", False),
        ('denied_parameters = { "*" = [] }', 'allowed_parameters = { "a" = [] }', "1", False),
        ('required_parameters = ["b"]', 'allowed_parameters = { "a" = [] }', "1", False),
    ],
)
def test_constraints_of_several_policies_add_up(
    one: str, two: str, data: str, allowed: bool
) -> None:
    texts = {
        name: f'path "kv/x" {{\n capabilities = ["update"]\n {text}\n}}'
        for name, text in (("one", one), ("two", two))
    }
    assert acl(**texts).explain("kv/x", Capability.UPDATE, {"a": data}).allowed is allowed


def test_a_deny_forgets_every_condition() -> None:
    policies = acl(one=PARAMETERS, two='path "kv/x" { capabilities = ["deny"] }')
    assert not policies.explain("kv/x", Capability.UPDATE, {"ttl": "1h"}).allowed
