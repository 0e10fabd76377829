"""IRSA roles: one account, its audience, narrow documents, and what is refused beforehand."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.aws.workload_identity import WorkloadIdentity, WorkloadIdentityArgs
from components.vault.s3_policy import s3_read_policy
from tests.unit.support.judging import broken
from tests.unit.support.monitor import Deployment, deploy

ROLE = "aws:iam/role:Role"
RIGHTS = "aws:iam/rolePolicy:RolePolicy"
ACCOUNT = "123456789012"
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/FAKE0123"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/fake-boundary"
GIVEN: dict[str, Any] = {
    "role": "fake-training",
    "provider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}",
    "namespace": "ml-training",
    "account": "ml-app-sa",
    "policies": {"data": s3_read_policy(["fake-data"])},
}
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def identity(preview: bool = False, **changes: Any) -> Deployment:
    def program() -> None:
        provider = aws.Provider("aws", region="eu-central-1")
        made = WorkloadIdentity(
            "fake",
            WorkloadIdentityArgs(**(GIVEN | changes)),
            pulumi.ResourceOptions(providers=[provider]),
        )
        assert made.arn == f"arn:aws:iam::{ACCOUNT}:role/fake-training"  # known in a preview too

    return deploy(program, preview=preview)


def allowed(action: str, resource: str = "arn:aws:s3:::fake-data/*") -> dict[str, str]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"data": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


@EVERY_MODE
def test_a_role_and_its_policies_are_made_with_the_explicit_provider(preview: bool) -> None:
    deployed = identity(preview)
    assert deployed.tree() == [
        "pulumi:providers:aws aws",
        "strongroom:aws:WorkloadIdentity fake",
        f"  {ROLE} fake-role",
        f"  {RIGHTS} fake-data",
    ]
    assert {r.provider for r in deployed.resources if r.custom and r.parent} == {"aws"}
    assert json.loads(deployed.one(RIGHTS).inputs["policy"])["Statement"][1]["Resource"] == [
        "arn:aws:s3:::fake-data/*"
    ]


@EVERY_MODE
def test_one_account_takes_it_on_with_a_token_made_for_aws(preview: bool) -> None:
    (trust,) = json.loads(identity(preview).one(ROLE).inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Federated": GIVEN["provider"]}
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:sub": "system:serviceaccount:ml-training:ml-app-sa",
            f"{ISSUER}:aud": "sts.amazonaws.com",
        }
    }


@EVERY_MODE
def test_boundary_and_session_are_set_and_unset_is_the_shortest(preview: bool) -> None:
    limited = identity(preview, boundary=BOUNDARY, session=7200).one(ROLE).inputs
    assert (limited["permissionsBoundary"], limited["maxSessionDuration"]) == (BOUNDARY, 7200)
    unsaid = identity(preview).one(ROLE).inputs
    assert unsaid["maxSessionDuration"] == 3600
    assert "permissionsBoundary" not in unsaid


@EVERY_MODE
def test_it_breaks_no_rule_of_the_project(preview: bool) -> None:
    assert broken(identity(preview, boundary=BOUNDARY)) == set()


@pytest.mark.parametrize(
    "widening",
    [{"StringEquals": "StringLike", "ml-app-sa": "ml-app-*"}, {":aud": ":azp"}, {":sub": ":iss"}],
    ids=["pattern", "no audience", "no account"],
)
def test_a_widened_trust_breaks_a_rule(widening: dict[str, str]) -> None:
    deployed = identity()
    text = deployed.one(ROLE).inputs["assumeRolePolicy"]
    for old, new in widening.items():
        assert old in text
        text = text.replace(old, new)
    found = broken(deployed, fake_role={"assumeRolePolicy": text})
    assert found == {"trust-web-identity-is-exact"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": "*"}, r"account: '\*' is a pattern or no name; .* Name one"),
        ({"namespace": "ml-*"}, r"namespace: 'ml-\*' is a pattern"),
        ({"account": ""}, r"account: '' is a pattern or no name"),
        ({"provider": ISSUER}, r"provider: .* is no ARN of an OIDC provider; .* another cluster"),
        ({"role": "fake*"}, r"role: 'fake\*' is no name of a role"),
        ({"boundary": "fake"}, r"boundary: 'fake' is no ARN of a policy"),
        ({"session": 3599}, r"session: 3599 is outside 3600 to 43200 seconds"),
        ({"session": 43201}, r"session: 43201 is outside"),
        ({"policies": {"data": "{"}}, r"policies\[data\]: '\{' is no IAM document"),
        ({"policies": allowed("s3:*")}, r"policies\[data\]: \['s3:\*'\] allows a whole service"),
        ({"policies": allowed("s3:GetObject", "*")}, r"'Resource: \*' allows that on everything"),
    ],
)
def test_a_wrong_identity_is_refused_with_its_consequence_and_the_way_out(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        WorkloadIdentityArgs(**(GIVEN | changes))


def test_a_denial_may_be_as_wide_as_it_likes() -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert WorkloadIdentityArgs(**(GIVEN | {"policies": {"nothing": text}})).policies
