"""A KMS key must be deletable only after thirty days, and never lock its owners out.

With the key goes everything that it encrypted: for Vault's unseal key, every secret.
Source: AWS, "Deleting KMS keys", PutKeyPolicy's BypassPolicyLockoutSafetyCheck.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.iam_documents import KMS_KEY
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity, each
from policies.view import View

LONGEST = 30


def _window(window: View) -> Iterator[Judgement]:
    days = window.number() if window.given else LONGEST  # AWS's default
    if days is None or days < LONGEST:
        yield Finding(
            evidence=f"{window.path} is {window.text()}", fix=f"set {window.path} to {LONGEST}"
        )


def _bypass(switch: View) -> Iterator[Judgement]:
    if switch.flag() is True:
        yield Finding(evidence=f"{switch.path} is true", fix=f"remove {switch.path}")


def check(key: View) -> Iterator[Judgement]:
    """Yield a finding for a short window, and for a bypassed safety check."""
    yield from each([key["deletionWindowInDays"]], _window)
    yield from each([key["bypassPolicyLockoutSafetyCheck"]], _bypass)


RULE = Rule(
    id="kms-deletion-is-slow",
    title="A KMS key must wait thirty days before it is deleted.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 CP-9", "NIST SP 800-53 SC-12"),
    resource_types=frozenset({KMS_KEY, "aws:kms/externalKey:ExternalKey"}),
    remediation="Leave deletion_window_in_days at 30.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
