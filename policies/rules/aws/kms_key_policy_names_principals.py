"""A key policy must not allow everybody.

A condition excuses `*` only when it fixes who calls; checkov takes any condition for that.
`"Resource": "*"` is right in a key policy: it means this key.
Source: AWS, "Key policies in AWS KMS"; CKV_AWS_33, bridgecrewio/checkov#5181, #5627.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.bounding import is_bounded
from policies.iam_documents import KMS_KEY_POLICIES, allowing
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each statement that allows everybody."""
    yield from each([properties["policy"]], _policy)


def _policy(place: View) -> Iterator[Judgement]:
    if not place.given:
        return
    for path, statement in allowing(place):
        anyone = any(principal.is_anyone for principal in statement.principals)
        if (anyone or statement.not_principals) and not is_bounded(statement):
            yield Finding(
                evidence=f"{path} allows {', '.join(statement.actions)} to everybody",
                fix="name the principals, or fix kms:CallerAccount or aws:PrincipalOrgID",
            )


RULE = Rule(
    id="kms-key-policy-names-principals",
    title="A KMS key policy must not allow everybody.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-3", "AWS FSBP KMS"),
    resource_types=KMS_KEY_POLICIES,
    remediation="Name roles; the account's root is the usual administrator.",
    check=check,
)
