"""A database role must limit its leases: an hour at first, a day in any case.

What is not set falls back to the mount's, and that to the server's 768 hours.
Source: HashiCorp, "Database secrets engine (API)".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.resource_types import DATABASE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

HOUR = 3600
LIMITS = {"defaultTtl": HOUR, "maxTtl": 24 * HOUR}


def _within(field: View, limit: int) -> Iterator[Judgement]:
    seconds = field.number()
    if not seconds or seconds > limit:
        yield Finding(
            evidence=f"{field.path} is {f'{seconds:.0f} s' if seconds else 'not set'}",
            fix=f"set {field.path} to at most {limit} (seconds)",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each limit that is absent or too wide."""
    for name, limit in LIMITS.items():
        yield from each([role[name]], partial(_within, limit=limit))


RULE = Rule(
    id="vault-database-lease-is-bounded",
    title="A database role must limit its leases to an hour, and to a day when renewed.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5(1)",),
    resource_types=frozenset({DATABASE_ROLE}),
    remediation="Set default_ttl and max_ttl from the length of the work.",
    check=check,
)
