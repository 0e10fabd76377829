"""A symmetric Cloud KMS key must rotate every year or more often.

Source: Google Cloud, "Key rotation"; CIS Google Cloud 1.10.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View

YEAR = 365 * 24 * 3600


def check(key: View) -> Iterator[Judgement]:
    """Yield a finding for no rotation, or one slower than a year."""
    if key["purpose"].text() not in ("", "ENCRYPT_DECRYPT") or key["importOnly"].flag() is True:
        return
    period = key["rotationPeriod"].text()
    seconds = View(period.removesuffix("s")).number()
    if not seconds or seconds > YEAR:
        yield Finding(
            evidence=f"rotationPeriod is {period or 'not set'}",
            fix=f'set rotationPeriod to at most "{YEAR}s"',
        )


RULE = Rule(
    id="gcp-kms-key-rotates",
    title="A symmetric Cloud KMS key must rotate at least once a year.",
    severity=Severity.MEDIUM,
    frameworks=("CIS Google Cloud 1.10", "NIST SP 800-53 SC-12"),
    resource_types=frozenset({"gcp:kms/cryptoKey:CryptoKey"}),
    remediation="Set rotation_period; old ciphertext stays readable.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
