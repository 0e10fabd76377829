"""An AppRole's secret ids must be used up and must expire.

A secret id is a password: without limits one that leaks works for ever.
Source: HashiCorp, "AppRole best practices".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.resource_types import APPROLE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

DAY = 24 * 3600
LIMITS = {"secretIdNumUses": 10, "secretIdTtl": DAY}


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each limit that is absent or too wide, and for no secret id at all."""
    if role["bindSecretId"].flag() is False:
        yield Finding(
            evidence="bindSecretId is false: the role id alone logs in",
            fix="set bindSecretId to true",
        )
        return
    for name, limit in LIMITS.items():
        yield from each([role[name]], partial(_limited, limit=limit))


def _limited(field: View, limit: int) -> Iterator[Judgement]:
    value = field.number()
    if not value or value > limit:
        yield Finding(
            evidence=f"{field.path} is {f'{value:.0f}' if value else 'unlimited'}",
            fix=f"set {field.path} to at most {limit}",
        )


RULE = Rule(
    id="vault-approle-secret-id-limits",
    title="An AppRole must limit the uses and the life of its secret ids.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5(1)",),
    resource_types=frozenset({APPROLE_ROLE}),
    remediation="One use and minutes of life for a secret id that a pipeline hands to a job.",
    check=check,
)
