"""A policy must not allow all actions, or all of a service.

`NotAction` with Allow is the same in disguise: everything but a list, and everything AWS adds.
Source: AWS, "IAM best practices"; CKV_AWS_62, CKV_AWS_63.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import IDENTITY_POLICIES, allowing, identity_documents
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View


def _document(place: View) -> Iterator[Judgement]:
    for path, statement in allowing(place):
        if statement.not_actions:
            yield Finding(
                evidence=f"{path} allows everything but {', '.join(statement.not_actions)}",
                fix="list the actions that are needed in Action",
            )
        for action in statement.actions:
            name = action.rpartition(":")[2]
            if set(name) <= set("*?"):
                yield Finding(
                    evidence=f"{path} allows {action}",
                    fix=f"replace {action} by the actions that are needed",
                )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each action that is a whole service, or all of them."""
    yield from each(identity_documents(properties), _document)


RULE = Rule(
    id="iam-no-full-actions",
    title="An IAM policy must not allow all actions of a service.",
    severity=Severity.CRITICAL,
    frameworks=("CIS AWS 1.16", "NIST SP 800-53 AC-6"),
    resource_types=IDENTITY_POLICIES,
    remediation="Name the actions; a prefix such as kms:Describe* is fine.",
    check=check,
)
