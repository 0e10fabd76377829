"""An engine that makes credentials must limit their leases at the mount.

The mount's limit holds for every role, also for the one that somebody adds next year; what is not
set falls back to the server's 768 hours.
Source: HashiCorp, "Secrets engines: tune".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import VAULT_MOUNT
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.view import View

MAKES_CREDENTIALS = frozenset(
    {"aws", "azure", "consul", "database", "gcp", "kubernetes", "ldap", "nomad", "rabbitmq"}
)
DAY = 24 * 3600


def check(mount: View) -> Iterator[Judgement]:
    """Yield a finding when the longest lease is not limited to a day."""
    kind = mount["type"].text()
    if kind not in MAKES_CREDENTIALS:
        return
    longest = mount["maxLeaseTtlSeconds"].number()
    if not longest or longest > DAY:
        yield Finding(
            evidence=f"maxLeaseTtlSeconds of the {kind} engine is "
            f"{f'{longest:.0f}' if longest else 'not set'}",
            fix=f"set maxLeaseTtlSeconds to at most {DAY}",
        )


RULE = Rule(
    id="vault-mount-lease-is-bounded",
    title="An engine that makes credentials must limit their leases to a day.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 IA-5(1)",),
    resource_types=frozenset({VAULT_MOUNT}),
    remediation="Tune max_lease_ttl of the mount.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
