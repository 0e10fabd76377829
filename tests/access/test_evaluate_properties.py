"""The evaluator by its properties: as a second implementation, and true to its own reasons."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from access.evaluate import Acl
from access.policy import Capability, PathRule, Policy
from tests.access import naive

WORDS = ("a", "b", "ab", "data")
SEGMENTS = st.sampled_from((*WORDS, "+"))
PATTERNS = st.builds(
    lambda segments, end: "/".join(segments) + end,
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from(("", "", "*", "/", "/*")),
).filter(lambda path: "+*" not in path)
CAPABILITIES = st.one_of(
    st.just(frozenset({Capability.DENY})),
    st.frozensets(st.sampled_from([c for c in Capability if c is not Capability.DENY]), max_size=3),
)
POLICIES = st.lists(
    st.lists(st.builds(PathRule, path=PATTERNS, capabilities=CAPABILITIES), max_size=5),
    min_size=1,
    max_size=3,
).map(
    lambda rules: [
        Policy(name=f"policy-{number}", rules=tuple(own)) for number, own in enumerate(rules)
    ]
)
PATHS = st.builds(
    lambda segments, end: "/".join(segments) + end,
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4),
    st.sampled_from(("", "", "", "/")),
)


@given(POLICIES, PATHS)
def test_it_agrees_with_a_second_implementation(policies: list[Policy], path: str) -> None:
    assert {c.value for c in Acl(policies).capabilities(path)} == naive.capabilities(policies, path)


@given(POLICIES, PATHS, st.sampled_from(Capability))
def test_what_is_explained_is_what_is_decided(
    policies: list[Policy], path: str, capability: Capability
) -> None:
    acl = Acl(policies)
    decision = acl.explain(path, capability)
    rule = acl.rule_for(path, listing=capability is Capability.LIST)
    assert decision.rule is rule
    assert decision.allowed == (
        rule is not None
        and Capability.DENY not in rule.capabilities
        and capability in rule.capabilities
    )
    if rule and decision.allowed:
        assert decision.policies
        for policy in policies:
            gives = any(r.path == rule.path and capability in r.capabilities for r in policy.rules)
            assert gives == (policy.name in decision.policies)


@given(POLICIES, PATHS)
def test_every_rule_that_covers_the_path_either_decides_or_is_named_as_lost(
    policies: list[Policy], path: str
) -> None:
    acl = Acl(policies)
    decision = acl.explain(path, Capability.READ)
    named = [lost.rule.path for lost in decision.lost]
    assert len(set(named)) == len(named)
    if decision.rule:
        assert decision.rule.path not in named
    for rule in acl.rules:
        alone = Acl(p for p in [Policy(name="p", rules=(_plain(rule.path),))])
        covers = alone.rule_for(path, listing=False) is not None
        assert covers == (rule.path in {*named, *([decision.rule.path] if decision.rule else [])})


@given(POLICIES, PATHS)
def test_a_lost_rule_would_decide_were_it_not_for_those_before_it(
    policies: list[Policy], path: str
) -> None:
    decision = Acl(policies).explain(path, Capability.READ)
    gone = {decision.rule.path} if decision.rule else set()
    for lost in decision.lost:
        left = [
            Policy(name=p.name, rules=tuple(r for r in p.rules if r.path not in gone))
            for p in policies
        ]
        next_best = Acl(left).rule_for(path, listing=False)
        assert next_best is not None
        assert next_best.path == lost.rule.path
        gone.add(lost.rule.path)


@given(POLICIES, PATHS)
def test_the_order_of_policies_changes_nothing(policies: list[Policy], path: str) -> None:
    assert Acl(policies).capabilities(path) == Acl(reversed(policies)).capabilities(path)


@given(POLICIES, PATTERNS, PATHS)
def test_a_deny_on_the_exact_path_always_wins(
    policies: list[Policy], other: str, path: str
) -> None:
    deny = PathRule(path=path, capabilities=frozenset({Capability.DENY}))
    wide = PathRule(path=other, capabilities=frozenset({Capability.READ}))
    acl = Acl([Policy(name="deny", rules=(deny, wide)), *policies])
    assert acl.capabilities(path) == {Capability.DENY}
    for capability in Capability:
        assert not acl.explain(path, capability).allowed


def _plain(path: str) -> PathRule:
    return PathRule(path=path, capabilities=frozenset({Capability.READ}))
