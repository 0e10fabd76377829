"""IAM users that Vault makes must carry a permissions boundary.

They live in the account until Vault deletes them; the boundary bounds what a mistake in the role's
policy can give. Roles that are assumed need no user at all.
Source: HashiCorp, "AWS secrets engine (API)"; AWS, "Permissions boundaries".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import AWS_ENGINE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity
from policies.view import View


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for users without a boundary that names one policy."""
    if role["credentialType"].text() != "iam_user":
        return
    boundary = role["permissionsBoundaryArn"]
    if not boundary.given:
        yield Finding(
            evidence="credentialType is iam_user and permissionsBoundaryArn is not set",
            fix="use credentialType assumed_role, or set permissionsBoundaryArn",
        )
    elif "*" in boundary.text() or boundary.text().endswith("/AdministratorAccess"):
        yield Finding(
            evidence=f"permissionsBoundaryArn is {boundary.text()!r}, which bounds nothing",
            fix="write a boundary with what such users may do at most",
        )


RULE = Rule(
    id="vault-aws-iam-user-has-boundary",
    title="IAM users that Vault makes must carry a permissions boundary.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6", "AWS FSBP IAM"),
    resource_types=frozenset({AWS_ENGINE_ROLE}),
    remediation="Prefer assumed_role; its credentials end by themselves.",
    check=check,
)
