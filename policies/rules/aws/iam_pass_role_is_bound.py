"""`iam:PassRole` must name one role and the service that it is passed to.

Whoever passes a role to a machine of their own has that role.
Source: AWS, "Granting a user permissions to pass a role"; AVD-AWS-0342.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import IDENTITY_POLICIES, allowing, identity_documents
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

PASS_ROLE = "iam:PassRole"  # noqa: S105 -- an action
SERVICE = "iam:passedtoservice"


def _document(place: View) -> Iterator[Judgement]:
    for path, statement in allowing(place):
        if not statement.covers(PASS_ROLE) or "*" in statement.actions:
            continue  # iam-no-full-actions speaks of `*`
        wild = [arn for arn in statement.resources if set("*?") & set(arn)]
        if wild or statement.not_resources:
            yield Finding(
                evidence=f"{path} passes {', '.join(wild) or 'every role but some'}",
                fix="name the role's ARN in Resource",
            )
        if not any(c.key.lower() == SERVICE and c.is_exact for c in statement.conditions):
            yield Finding(
                evidence=f"{path} passes a role to any service",
                fix="add a StringEquals condition on iam:PassedToService",
            )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each way in which PassRole is open."""
    yield from each(identity_documents(properties), _document)


RULE = Rule(
    id="iam-pass-role-is-bound",
    title="iam:PassRole must name the role and the service.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6(10)",),
    resource_types=IDENTITY_POLICIES,
    remediation="One statement for each role, with iam:PassedToService.",
    check=check,
)
