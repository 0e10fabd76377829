"""Policies compared by what they allow: never a difference for the same, always one for another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.evaluate import Acl
from access.policy import Capability, PathRule, Policy
from access.policy_hcl import parse, render
from drift.policies import differing

SEGMENTS = st.sampled_from(["a", "b", "ab", "+"])
PATHS = st.builds(
    lambda segments, end: "/".join(segments) + end,
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "/*", "*"]),
).filter(lambda path: "+*" not in path)
CAPABILITIES = st.frozensets(
    st.sampled_from(
        [Capability.READ, Capability.LIST, Capability.UPDATE, Capability.SUDO, Capability.DENY]
    ),
    min_size=1,
    max_size=3,
)
RULES = st.lists(
    st.builds(lambda p, c: PathRule(path=p, capabilities=c), PATHS, CAPABILITIES), max_size=4
)
REQUESTS = st.builds(
    lambda segments, end: "/".join(segments) + end,
    st.lists(st.sampled_from(["a", "b", "ab", "abc", "c"]), min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)


def text(rules: list[PathRule]) -> str:
    return render(Policy(name="p", rules=tuple(rules)))


@settings(max_examples=50)  # two texts are parsed for each
@given(rules=RULES, other=RULES, requests=st.lists(REQUESTS, min_size=20, max_size=20))
def test_where_nothing_is_told_every_request_is_judged_alike(
    rules: list[PathRule], other: list[PathRule], requests: list[str]
) -> None:
    one, two = text(rules), text(other)
    if list(differing(one, two)):
        return
    here, there = Acl([parse(one, "p")]), Acl([parse(two, "p")])
    for request in requests:
        for capability in Capability:
            mine = here.explain(request, capability).allowed
            assert mine is there.explain(request, capability).allowed, (request, capability)


@settings(max_examples=25)
@given(rules=RULES, data=st.data())
def test_the_same_rules_in_another_order_or_twice_are_no_difference(
    rules: list[PathRule], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*rules, *rules[:2]]))
    assert list(differing(text(rules), text(again))) == []


@pytest.mark.parametrize(
    ("program", "live", "told"),
    [
        (
            'path "a" { capabilities = ["read"] }',
            'path "a" { capabilities = ["read", "sudo"] }',
            "a: now says sudo",
        ),
        (
            'path "a/*" { capabilities = ["read"] }\npath "a/b" { capabilities = ["deny"] }',
            'path "a/*" { capabilities = ["read"] }',
            "a/b: now says read; no longer says deny",
        ),
        ('path "a" { capabilities = ["deny"] }', "", "a: no longer says deny"),
        (
            'path "a/*" { capabilities = ["update"] }',
            'path "a/*" { capabilities = ["update"]\n allowed_parameters = { ttl = ["1h"] } }',
            "a/*: conditions are allowed {'ttl': ['1h']}, in the program none",
        ),
        ('path "a" { capabilities = ["read"] }', "path {", "the texts differ and cannot be judged"),
    ],
)
def test_a_difference_is_told_by_its_path(program: str, live: str, told: str) -> None:
    sentences = list(differing(program, live))
    assert len(sentences) == 1
    assert sentences[0].startswith(told)
