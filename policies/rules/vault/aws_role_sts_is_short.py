"""Credentials that Vault gets from AWS STS must be short: nobody can revoke them.

Source: HashiCorp, "AWS secrets engine", STS credentials; AWS, "Revoking temporary credentials".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.resource_types import AWS_ENGINE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

HOUR = 3600
LIMITS = {"defaultStsTtl": HOUR, "maxStsTtl": 4 * HOUR}


def _within(field: View, limit: int) -> Iterator[Judgement]:
    seconds = field.number()
    if not seconds or seconds > limit:
        yield Finding(
            evidence=f"{field.path} is {f'{seconds:.0f} s' if seconds else 'not set'}",
            fix=f"set {field.path} to at most {limit} (seconds)",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each limit that is absent or too wide; users have no STS."""
    if role["credentialType"].text() == "iam_user":
        return
    for name, limit in LIMITS.items():
        yield from each([role[name]], partial(_within, limit=limit))


RULE = Rule(
    id="vault-aws-sts-is-short",
    title="STS credentials from Vault must end within an hour, and within four when asked.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 AC-12",),
    resource_types=frozenset({AWS_ENGINE_ROLE}),
    remediation="Set default_sts_ttl and max_sts_ttl.",
    check=check,
)
