"""A stack should make no long-lived access key.

The key stands in the state, works from anywhere, and ends when somebody remembers it.
Source: AWS, "IAM best practices"; CIS AWS 1.14.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View


def check(key: View) -> Iterator[Judgement]:
    """Yield a finding for a key that works."""
    status = key["status"].text() or "Active"
    if status != "Inactive":
        yield Finding(
            evidence=f"status is {status!r}",
            fix="let the workload assume a role; set status to Inactive before removing the key",
        )


RULE = Rule(
    id="aws-no-access-key",
    title="A stack must make no long-lived access key.",
    severity=Severity.HIGH,
    frameworks=("CIS AWS 1.14", "NIST SP 800-53 IA-5(1)"),
    resource_types=frozenset({"aws:iam/accessKey:AccessKey"}),
    remediation="Use roles for service accounts, or Vault's AWS engine.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
