"""A secret's own policy must not allow everybody.

Source: AWS, "Resource-based policies for Secrets Manager"; a condition counts as in kms-key-policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.bounding import is_bounded
from policies.iam_documents import SECRET_POLICIES, allowing
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
                fix="name the roles that read the secret",
            )


RULE = Rule(
    id="secret-policy-names-principals",
    title="A secret's resource policy must not allow everybody.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-3",),
    resource_types=SECRET_POLICIES,
    remediation="Name the reading roles; set block_public_policy.",
    check=check,
)
