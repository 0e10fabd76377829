"""IAM documents: what they say, read as AWS reads them; and the ways to more rights."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.iam import Condition, Document, IamError, Principal, matches, parse
from access.iam_actions import restrictable
from access.iam_escalation import WAYS, ways

ACTIONS = ("iam:PassRole", "iam:GetRole", "s3:GetObject", "s3:PutObject")
PATTERNS = st.sampled_from(["*", "iam:*", "s3:Get*", "s3:?etObject", "IAM:passrole", "ec2:Run*"])


def document(*statements: dict[str, Any]) -> Document:
    return parse({"Statement": list(statements)})


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions, **more), "Effect": "Deny"}


def test_text_and_value_and_single_entries_are_read_alike() -> None:
    text = '{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
    assert parse(text) == document(allow("s3:GetObject"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "has no Statement"),
        ({"Statement": ["a"]}, "Statement[0] is no object"),
        ({"Statement": [allow("a"), {"Effect": "Permit"}]}, "Statement[1].Effect is 'Permit'"),
        ({"Statement": {"Effect": "Allow"}}, "neither Action nor NotAction"),
        ({"Statement": allow("a", Condition=["a"])}, "Condition is no object"),
        ({"Statement": allow("a", Condition={"StringEquals": "a"})}, "Condition is no object"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_its_place(source: Any, said: str) -> None:
    with pytest.raises(IamError) as refused:
        parse(source)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("s3:Get*", "s3:GetObject", True),
        ("S3:get*", "s3:GetObject", True),
        ("s3:?etObject", "s3:GetObject", True),
        ("s3:Get[OP]bject", "s3:GetObject", False),
        ("s3:Get", "s3:GetObject", False),
        ("*", "kms:Decrypt", True),
    ],
)
def test_patterns_match_as_iam_matches(pattern: str, action: str, expected: bool) -> None:
    assert matches(pattern, action) is expected


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3), st.sampled_from(ACTIONS))
def test_not_action_is_the_complement(some: list[str], others: list[str], action: str) -> None:
    listed = [*some, *others] or ["sts:*"]
    (positive,) = document(allow(*listed)).statements
    (negative,) = document({"Effect": "Allow", "NotAction": listed, "Resource": "*"}).statements
    assert positive.covers(action) is not negative.covers(action)


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3), st.sampled_from(ACTIONS))
def test_a_deny_of_everything_takes_back(
    allowed: list[str], denied: list[str], action: str
) -> None:
    policy = document(allow(*allowed or ["x:y"]), deny(*denied or ["x:y"]))
    assert policy.allows(action) is (
        any(matches(p, action) for p in allowed) and not any(matches(p, action) for p in denied)
    )


def test_a_deny_that_only_sometimes_holds_takes_nothing_back() -> None:
    sometimes = deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    assert document(allow("s3:GetObject"), sometimes).allows("s3:GetObject")
    somewhere = deny("s3:*", Resource="arn:aws:s3:::a")
    assert document(allow("s3:GetObject"), somewhere).allows("s3:GetObject")


def test_principals_of_every_form() -> None:
    (one, two) = document(
        {"Effect": "Allow", "Action": "a", "Principal": "*"},
        {"Effect": "Allow", "Action": "a", "Principal": {"AWS": ["*", "1"], "Service": "*"}},
    ).statements
    assert one.principals == (Principal(kind="*", value="*"),)
    assert [p.is_anyone for p in (*one.principals, *two.principals)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("operator", "values", "exact"),
    [
        ("StringEquals", ("a",), True),
        ("StringEquals", ("a*",), True),  # the operator takes the star for a star
        ("ForAnyValue:StringEquals", ("a", "b"), True),
        ("StringLike", ("a",), True),
        ("StringLike", ("a", "b*"), False),
        ("ArnLike", ("arn:aws:iam::1:role/?",), False),
        ("ArnEquals", ("arn:aws:iam::1:role/a",), True),
        ("ForAllValues:StringEquals", ("a",), False),
        ("StringEqualsIfExists", ("a",), False),
        ("StringNotEquals", ("a",), False),
        ("Null", ("false",), False),
        ("StringEquals", (), False),
    ],
)
def test_which_conditions_let_only_written_values_in(
    operator: str, values: tuple[str, ...], exact: bool
) -> None:
    assert Condition(operator=operator, key="k", values=values).is_exact is exact


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("kms:Decrypt", True),
        ("kms:ListKeys", False),
        ("KMS:listkeys", False),
        ("ec2:Describe*", False),
        ("ec2:RunInstances", True),
        ("secretsmanager:*", True),
        ("quicksight:CreateUser", None),
        ("*", None),
    ],
)
def test_which_actions_take_a_resource(action: str, expected: bool | None) -> None:
    assert restrictable(action) is expected


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "+".join(sorted(way)))
def test_each_way_is_found_from_its_own_actions(way: frozenset[str]) -> None:
    assert any(found <= way for found in ways(document(allow(*way))))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: "+".join(sorted(way)))
def test_no_way_is_found_without_one_of_its_actions(way: frozenset[str]) -> None:
    for action in way:
        assert way not in ways(document(allow(*way), deny(action)))


def test_all_rights_name_each_way_once_and_no_longer_form_of_it() -> None:
    found = ways(document(allow("*")))
    assert len(found) == len(set(found)) > 30
    assert not any(one < other for one in found for other in found)
