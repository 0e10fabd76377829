"""A secret must be recoverable for thirty days after it is deleted.

Zero days deletes at once, with every version.
Source: AWS, "Delete a Secrets Manager secret".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import SECRET
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View

LONGEST = 30


def check(secret: View) -> Iterator[Judgement]:
    """Yield a finding for a window that is shorter."""
    window = secret["recoveryWindowInDays"]
    days = window.number() if window.given else LONGEST  # AWS's default
    if days is None or days < LONGEST:
        yield Finding(
            evidence=f"recoveryWindowInDays is {window.text()}",
            fix=f"set recoveryWindowInDays to {LONGEST}",
        )


RULE = Rule(
    id="secret-recovery-window",
    title="A deleted secret must be recoverable for thirty days.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 CP-9",),
    resource_types=frozenset({SECRET}),
    remediation="Leave recovery_window_in_days at 30.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
