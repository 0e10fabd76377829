"""An action that can be restricted to a resource must be.

Whether it can is read from AWS's own table, so that `kms:ListKeys` on `*` is no finding and
`kms:Decrypt` on `*` is. An action of a service outside the table is reported as not checked.
Source: AWS, "Service Authorization Reference"; CKV_AWS_355.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.iam_actions import restrictable
from policies.iam_documents import IDENTITY_POLICIES, allowing, identity_documents
from policies.rule import Finding, Judgement, NotChecked, Rule, Severity, each
from policies.view import View

# Conditions that bound the resource where Resource cannot.
BOUNDING = ("aws:ResourceTag/", "aws:ResourceAccount", "aws:ResourceOrgID", "kms:ViaService")


def _document(place: View) -> Iterator[Judgement]:
    for path, statement in allowing(place):
        bounded = any(c.is_exact and c.key.startswith(BOUNDING) for c in statement.conditions)
        if not statement.on_everything or bounded:
            continue
        verdicts = {action: restrictable(action) for action in statement.actions}
        if wide := [action for action, verdict in verdicts.items() if verdict]:
            yield Finding(
                evidence=f"{path} allows {', '.join(wide)} on every resource",
                fix="name the resources' ARNs; put actions that take none in a statement apart",
            )
        for action in (a for a, verdict in verdicts.items() if verdict is None and ":" in a):
            yield NotChecked(path=path, reason=f"the table of actions does not hold {action}")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each statement with restrictable actions on every resource."""
    yield from each(identity_documents(properties), _document)


RULE = Rule(
    id="iam-resources-are-named",
    title="An IAM policy must name the resources of actions that take one.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6", "AWS FSBP IAM.21"),
    resource_types=IDENTITY_POLICIES,
    remediation="Split the statement: ARNs for what takes them, * for the rest.",
    check=check,
)
