"""Vault policies: text to values and back, and the precedence that people get wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.evaluate import Acl
from access.policy import Capability, PathRule, Policy, PolicyError
from access.policy_hcl import parse, render

GRANTABLE = [c for c in Capability if c is not Capability.DENY]
PATHS = st.from_regex(r"[a-z]{1,4}(/([a-z]{1,4}|\+)){0,3}(/?\*)?", fullmatch=True).filter(
    lambda path: "+*" not in path
)
RULES = st.builds(
    PathRule,
    path=PATHS,
    capabilities=st.frozensets(st.sampled_from(GRANTABLE), min_size=1),
    allowed_parameters=st.dictionaries(
        st.sampled_from(["ttl", "*"]), st.tuples(st.sampled_from(["1h", "2h"]))
    ),
    required_parameters=st.sampled_from([(), ("ttl",)]),
)


@given(st.lists(RULES, max_size=4).map(tuple))
def test_what_is_rendered_is_read_back(rules: tuple[PathRule, ...]) -> None:
    policy = Policy(name="generated", rules=rules)
    assert parse(render(policy), "generated") == policy


def test_json_and_the_form_before_capabilities_are_read() -> None:
    assert parse('{"path": {"a/*": {"policy": "read"}}}', "json") == Policy(
        name="json",
        rules=(PathRule(path="a/*", capabilities=frozenset({Capability.READ, Capability.LIST})),),
    )


def test_a_key_that_json_repeats_adds_to_the_first_as_for_vault() -> None:
    read = parse(
        '{"path": {"a": {"capabilities": ["read"], "capabilities": ["list"]}},'
        ' "path": {"b": {"policy": "read"}}, "path": {"a": {"capabilities": ["deny"]}}}',
        "json",
    )
    assert [(rule.path, sorted(rule.capabilities)) for rule in read.rules] == [
        ("a", ["list", "read"]),
        ("b", ["list", "read"]),
        ("a", ["deny"]),
    ]


def test_escaped_characters_are_read_as_vault_reads_them() -> None:
    text = r'path "sy\u0073/\x61\141/\\u0061/\"q" { capabilities = ["re\U00000061d"] }'
    assert parse(text, "hcl").rules == (
        PathRule(path='sys/aa/\\u0061/"q', capabilities=frozenset({Capability.READ})),
    )


@pytest.mark.parametrize(
    "text",
    [
        '"path" "a" { capabilities = ["read"] }',
        'path "a" { "capabilities" = ["read"] }',
        'path "a" { capabilities = ["read"], }',
        'path a { capabilities = ["read",] }',
    ],
)
def test_what_vaults_own_hcl_allows_is_read(text: str) -> None:
    assert parse(text, "hcl").rules == (
        PathRule(path="a", capabilities=frozenset({Capability.READ})),
    )


def test_parameters_may_be_written_as_a_block() -> None:
    text = 'path "a" { capabilities = ["read"] \n allowed_parameters { ttl = ["1h"] } }'
    assert parse(text, "hcl").rules[0].allowed_parameters == {"ttl": ("1h",)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"path": {"a": {"policy": "read", "policy": "write"}}}', "policy is"),
        ('{"path": {"a": 7}}', "policy 'p' has not the form of a policy"),
        ('{"path": {"a": {"capabilities": [["read"]]}}}', "has not the form of a policy"),
        ('path "a" { capabilities = 7 }', "has not the form of a policy"),
        ("path {", "policy 'p' is neither HCL nor JSON"),
        ('paths "a" { capabilities = ["read"] }', "unknown key 'paths'"),
        ('path "a" { capability = ["read"] }', "path \"a\": unknown key 'capability'"),
        ('path "a" { capabilities = ["write"] }', "capability 'write' is unknown"),
        ('path "a" { policy = "all" }', "policy is 'all'; use capabilities"),
        ('path "a/+*" { capabilities = ["read"] }', '"+*" is refused by Vault'),
    ],
)
def test_what_vault_would_refuse_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse(text, "p")
    assert said in str(refused.value)


def acl(**policies: str) -> Acl:
    return Acl(parse(text, name.replace("_", "-")) for name, text in policies.items())


def test_a_narrower_rule_takes_away_what_a_wider_one_gives() -> None:
    policies = acl(
        wide='path "secret/*" { capabilities = ["read", "update"] }',
        narrow='path "secret/data/ml/*" { capabilities = ["read"] }',
    )
    decision = policies.explain("secret/data/ml/mlflow", Capability.UPDATE)
    assert not decision.allowed
    assert decision.reason == (
        '"secret/data/ml/*" (narrow) is the most specific rule and does not allow update'
    )


def test_a_deny_with_an_early_segment_wildcard_loses_to_a_longer_prefix() -> None:
    policies = acl(
        guard='path "+/data/ml/mlflow" { capabilities = ["deny"] }',
        team='path "secret/data/ml/*" { capabilities = ["read"] }',
    )
    assert policies.explain("secret/data/ml/mlflow", Capability.READ).allowed


def test_deny_wins_among_rules_for_the_same_path() -> None:
    policies = acl(
        one='path "a/b" { capabilities = ["read"] }', two='path "a/b" { capabilities = ["deny"] }'
    )
    decision = policies.explain("a/b", Capability.READ)
    assert decision.reason == '"a/b" (two) denies, and deny wins over every capability'
    assert policies.capabilities("a/b") == {Capability.DENY}


def test_nothing_written_means_denied() -> None:
    decision = acl(one='path "a" { capabilities = ["read"] }').explain("b", Capability.READ)
    assert (decision.allowed, decision.rule) == (False, None)
    assert decision.reason == 'no rule covers "b", so Vault denies it'
