"""Common requests of two Vault paths: held against the evaluator that agrees with Vault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.evaluate import Acl
from access.overlap import UNNAMED, covers, witness
from access.policy import Capability, PathRule, Policy

PATTERNS = st.from_regex(r"(a|b|\+|ab)(/(a|b|\+|ab)){0,3}(/?\*)?", fullmatch=True).filter(
    lambda path: "+*" not in path
)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "abc", "c"]), min_size=1, max_size=5).map(
    "/".join
)


def matches(pattern: str, path: str) -> bool:
    """Whether Vault would let a rule on `pattern` decide on `path`."""
    rule = PathRule(path=pattern, capabilities=frozenset({Capability.READ}))
    policy = Policy(name="one", rules=(rule,))
    return Acl([policy]).explain(path, Capability.READ).allowed


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("sys/*", "sys/policies/acl/*", f"sys/policies/acl/{UNNAMED}"),
        ("+/data/*", "secret/data/ml/a", "secret/data/ml/a"),
        ("secret/data/a", "secret/data/b", None),
        ("sec*", "secret/data/a", "secret/data/a"),
        ("*", "identity/*", f"identity/{UNNAMED}"),
        ("a/+", "a/b*", f"a/b{UNNAMED}"),
        ("secret/*", "secret", None),
        ("a/+", "a/b/c", None),
        ("/a", "a", "a"),
    ],
)
def test_a_witness_is_a_request_that_both_cover(one: str, other: str, common: str | None) -> None:
    assert witness(one, other) == common
    assert witness(other, one) == common


@given(PATTERNS, PATTERNS)
def test_a_witness_is_covered_by_both_as_vault_sees_it(one: str, other: str) -> None:
    path = witness(one, other)
    if path is not None:
        assert matches(one, path)
        assert matches(other, path)


@given(PATTERNS, PATTERNS, PATHS)
def test_without_a_witness_no_request_is_common(one: str, other: str, path: str) -> None:
    if witness(one, other) is None:
        assert not (matches(one, path) and matches(other, path))


@given(PATTERNS, PATTERNS, PATHS)
def test_what_the_narrow_covers_the_wide_one_covers(wide: str, narrow: str, path: str) -> None:
    if covers(wide, narrow) and matches(narrow, path):
        assert matches(wide, path)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("secret/*", "secret/data/ml", True),
        ("secret/*", "secret/+/ml", True),
        ("secret/data/ml*", "secret/data/mlflow", True),
        ("secret/data/ml*", "secret/data/m*", False),
        ("+/data/+", "secret/data/ml", True),
        ("+/data/+", "secret/data/*", False),
        ("secret/data/a", "secret/data/a", True),
        ("secret/data/+", "+/data/a", False),
        ("a/b*", "a/+", False),
        ("a/b/c*", "a/b", False),
        ("+/b*", "a/b/c", True),
        ("a/b*", "a*", False),
        ("*", "+", True),
    ],
)
def test_covering(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected
