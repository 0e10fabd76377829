"""IAM roles in the matrix: who their trust lets in, and what their policies allow on what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from access.iam import parse
from access.iam_rights import IamRights, IamRole
from access.matrix import Matrix
from access.model import Subject
from access.state import StateError, matrix_of
from tests.access.exports import export, resource

TRAINER = Subject("ml-training", "ml-app-sa")
BUCKET = "arn:aws:s3:::fake-bucket/*"
OBJECT = "arn:aws:s3:::fake-bucket/model"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com"


def trust(*subjects: str, operator: str = "StringEquals", **change: Any) -> dict[str, Any]:
    condition = {operator: {"oidc.example.com:sub": list(subjects)}} if subjects else {}
    return {
        "Statement": {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": PROVIDER},
            "Condition": condition,
            **change,
        }
    }


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": BUCKET, **elements}


def matrix(
    *statements: dict[str, Any],
    trusted: dict[str, Any] | None = None,
) -> Matrix:
    role = IamRole(
        name="ml-app",
        trust=parse(trusted or trust("system:serviceaccount:ml-training:ml-app-sa")),
        policies=(("s3", parse({"Statement": list(statements)})),),
    )
    return Matrix([IamRights([role])])


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        (trust("system:serviceaccount:ml-training:ml-app-sa"), ["ml-training/ml-app-sa"]),
        (trust("system:serviceaccount:a:b", "system:serviceaccount:c:d"), ["a/b", "c/d"]),
        (trust("system:serviceaccount:ml:*", operator="StringLike"), ["ml/*"]),
        (trust("*", operator="StringLike"), ["*/*"]),
        (trust(), ["*/*"]),
        (trust("system:serviceaccount:a:b", operator="StringNotEquals"), ["*/*"]),
        (trust("false", operator="Null"), ["*/*"]),
        (trust("system:serviceaccount:a:b", operator="ForAnyValue:StringLike"), ["a/b"]),
        (trust("?ystem:serviceaccount:a:b", operator="StringLike"), ["*/*"]),
        (trust("repo:example/example:ref:refs/heads/main"), []),
        (trust("system:serviceaccount:a:b", Effect="Deny"), []),
        (trust("system:serviceaccount:a:b", Action="sts:AssumeRole"), []),
        (trust("system:serviceaccount:a:b", Principal={"Service": "ec2.amazonaws.com"}), []),
    ],
)
def test_whom_a_trust_lets_in(trusted: dict[str, Any], expected: list[str]) -> None:
    held = matrix(statement(), trusted=trusted)
    assert sorted(str(row.subject) for row in held.rows) == expected


@pytest.mark.parametrize(
    ("statements", "action", "allowed", "said"),
    [
        ([statement(Sid="Read")], "s3:GetObject", True, "statement Read of s3 allows"),
        ([statement()], "s3:PutObject", False, "no statement speaks of s3:PutObject"),
        ([statement(Resource="arn:aws:s3:::other/*")], "s3:GetObject", False, "no statement"),
        (
            [statement(Resource="arn:aws:s3:::fake-bucket/${aws:PrincipalTag/team}*")],
            "s3:GetObject",
            True,
            "which resource that is depends on who asks",
        ),
        (
            [statement(), statement("Deny", Resource="arn:aws:s3:::fake-bucket/${aws:userid}")],
            "s3:GetObject",
            True,
            "statement 0 of s3 allows",
        ),
        (
            [
                statement(),
                {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::other/*"},
            ],
            "s3:GetObject",
            False,
            "Deny wins over every Allow",
        ),
        ([statement(Action="S3:get*")], "s3:GetObject", True, "statement 0 of s3 allows"),
        ([statement(Resource=BUCKET.upper())], "s3:GetObject", False, "no statement"),
        ([statement(), statement("Deny", Resource=BUCKET.upper())], "s3:GetObject", True, "allows"),
        ([statement(), statement("Deny")], "s3:GetObject", False, "Deny wins over every Allow"),
        (
            [statement(), statement("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})],
            "s3:GetObject",
            True,
            "statement 0 of s3 allows",
        ),
        (
            [statement(Condition={"StringEquals": {"aws:SourceVpc": "fake"}})],
            "s3:GetObject",
            True,
            "only under a condition on aws:SourceVpc",
        ),
        (
            [{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::other/*"}],
            "s3:GetObject",
            True,
            "all but arn:aws:s3:::other/*",
        ),
    ],
)
def test_what_policies_decide(
    statements: list[dict[str, Any]], action: str, allowed: bool, said: str
) -> None:
    verdict = matrix(*statements).explain(TRAINER, OBJECT, action)
    assert verdict.allowed is allowed
    reasons = [h.reason for h in verdict.holders] + [r.reason for r in verdict.refusals]
    assert any(said in reason for reason in reasons), reasons


def test_a_path_in_vault_is_no_matter_of_iam() -> None:
    verdict = matrix(statement()).explain(TRAINER, "secret/ml/mlflow", "read")
    assert (verdict.holders, verdict.refusals) == ((), ())


ROLE = resource(
    "aws:iam/role:Role",
    "role",
    {
        "name": "ml-app",
        "assumeRolePolicy": json.dumps(trust("system:serviceaccount:ml-training:ml-app-sa")),
    },
)
TEXT = json.dumps({"Statement": statement()})
INLINE = resource(
    "aws:iam/rolePolicy:RolePolicy", "p", {"role": "ml-app", "name": "s3", "policy": TEXT}
)
ARN = "arn:aws:iam::123456789012:policy/s3"
MANAGED = resource(
    "aws:iam/policy:Policy", "p", {"name": "s3", "policy": TEXT}, outputs={"arn": ARN}
)


def attached(arn: str) -> dict[str, Any]:
    type_ = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    return resource(type_, "a", {"role": "ml-app", "policyArn": arn})


def with_policies(**own: Any) -> dict[str, Any]:
    return {**ROLE, "outputs": own}


@pytest.mark.parametrize(
    "given",
    [
        (ROLE, INLINE),
        (ROLE, MANAGED, attached(ARN)),
        (with_policies(inlinePolicies=[{"name": "s3", "policy": TEXT}, {}]),),
        (with_policies(inlinePolicies=[{"name": "s3", "policy": TEXT}]), INLINE),
        (with_policies(managedPolicyArns=[ARN]), MANAGED, attached(ARN)),
    ],
)
def test_roles_and_policies_are_read_from_an_export(given: tuple[dict[str, Any], ...]) -> None:
    held = matrix_of(export(*given))
    (row,) = held.rows
    assert (str(row.subject), row.path, row.via, row.policy, row.capabilities) == (
        "ml-training/ml-app-sa",
        BUCKET,
        "IAM role ml-app",
        "s3",
        ("s3:GetObject",),
    )
    assert held.who_can(OBJECT, "s3:GetObject")


def test_a_policy_that_the_stack_does_not_have_is_said() -> None:
    held = matrix_of(export(ROLE, attached("arn:aws:iam::aws:policy/Fake")))
    assert any("arn:aws:iam::aws:policy/Fake, which is not part" in note for note in held.notes)


def test_a_document_that_is_none_is_refused() -> None:
    wrong = resource("aws:iam/role:Role", "r", {"name": "r", "assumeRolePolicy": "{"})
    with pytest.raises(StateError, match="IAM document that cannot be read"):
        matrix_of(export(wrong))
