"""Tokens of a role must end: within an hour unless renewed, within a day in any case.

What is not set falls back to the server's 768 hours. A period makes a token live for ever as long
as somebody renews it.
Source: HashiCorp, "Lease, renew and revoke", "Tokens".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.resource_types import AUTH_ROLES
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

HOUR = 3600
LIMITS = {"tokenTtl": HOUR, "tokenMaxTtl": 24 * HOUR}


def _within(field: View, limit: int) -> Iterator[Judgement]:
    seconds = field.number()
    if not seconds:
        yield Finding(
            evidence=f"{field.path} is not set, which means 32 days",
            fix=f"set {field.path} to at most {limit} (seconds)",
        )
    elif seconds > limit:
        yield Finding(
            evidence=f"{field.path} is {seconds:.0f} s", fix=f"set {field.path} to at most {limit}"
        )


def _no_period(field: View) -> Iterator[Judgement]:
    if field.number():
        yield Finding(
            evidence=f"{field.path} is {field.number():.0f} s: the token can be renewed for ever",
            fix=f"remove {field.path}",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each limit that is absent or too wide, and for a period."""
    # Batch tokens cannot be renewed, so their one limit is tokenTtl.
    batch = role["tokenType"].text() == "batch"
    for name, limit in LIMITS.items():
        if not (batch and name == "tokenMaxTtl"):
            yield from each([role[name]], partial(_within, limit=limit))
    yield from each([role["tokenPeriod"]], _no_period)


RULE = Rule(
    id="vault-role-token-lifetime",
    title="A Vault auth role must limit its tokens to an hour, and to a day when renewed.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-12", "NIST SP 800-53 IA-5(1)"),
    resource_types=AUTH_ROLES,
    remediation="Set token_ttl and token_max_ttl from the length of the work, without a period.",
    check=check,
)
