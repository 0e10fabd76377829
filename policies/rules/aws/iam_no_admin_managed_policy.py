"""AWS's own administrator policies must not be attached to anything that this stack makes.

Source: AWS, "AWS managed policies for job functions"; CIS AWS 1.16.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import IAM_ROLE
from policies.resource_types import AWS_ENGINE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

ADMINISTRATORS = frozenset(
    {
        "AdministratorAccess",
        "PowerUserAccess",
        "IAMFullAccess",
        "SecretsManagerReadWrite",
        "AWSKeyManagementServicePowerUser",
        "AmazonSSMFullAccess",
        "AmazonSageMakerFullAccess",
    }
)


def _entry(arn: View) -> Iterator[Judgement]:
    name = arn.text().rpartition("/")[2]
    if ":aws:policy/" in arn.text() and (name in ADMINISTRATORS or "*" in name):
        yield Finding(
            evidence=f"{arn.path} is AWS's {name}", fix="attach a policy with the actions needed"
        )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each attachment of an administrator policy."""
    for name in ("policyArn", "policyArns", "managedPolicyArns", "permissionsBoundaryArn"):
        yield from each_of(properties[name], _entry)


RULE = Rule(
    id="iam-no-admin-managed-policy",
    title="AWS's administrator policies must not be attached.",
    severity=Severity.CRITICAL,
    frameworks=("CIS AWS 1.16", "NIST SP 800-53 AC-6"),
    resource_types=frozenset(
        {
            IAM_ROLE,
            AWS_ENGINE_ROLE,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "aws:iam/userPolicyAttachment:UserPolicyAttachment",
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
            "aws:iam/policyAttachment:PolicyAttachment",
            "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
            "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
            "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
        }
    ),
    remediation="Write a policy for the task.",
    check=check,
)
