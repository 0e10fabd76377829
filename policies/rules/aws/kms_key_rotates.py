"""A symmetric KMS key must rotate every year or more often.

Keys that AWS cannot rotate (asymmetric, HMAC, imported material, custom stores) are not judged.
Source: AWS, "Rotate KMS keys"; CIS AWS 3.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import KMS_KEY
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View

YEAR = 365


def check(key: View) -> Iterator[Judgement]:
    """Yield a finding for rotation that is off or slower than a year."""
    symmetric = key["customerMasterKeySpec"].text() in ("", "SYMMETRIC_DEFAULT")
    if not symmetric or key["customKeyStoreId"].given or key["isEnabled"].flag() is False:
        return
    if key["enableKeyRotation"].flag() is not True:
        yield Finding(
            evidence=f"enableKeyRotation is {key['enableKeyRotation'].text() or 'not set'}",
            fix="set enableKeyRotation to true",
        )
    elif (days := key["rotationPeriodInDays"].number()) and days > YEAR:
        yield Finding(
            evidence=f"rotationPeriodInDays is {days:.0f}",
            fix=f"set rotationPeriodInDays to at most {YEAR}",
        )


RULE = Rule(
    id="kms-key-rotates",
    title="A symmetric KMS key must rotate at least once a year.",
    severity=Severity.MEDIUM,
    frameworks=("CIS AWS 3.6", "NIST SP 800-53 SC-12"),
    resource_types=frozenset({KMS_KEY}),
    remediation="Switch rotation on; old ciphertext stays readable.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
