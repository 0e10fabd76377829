"""`sudo` must stand only on the root-protected paths that need it.

On any other path it does nothing today, and everything once Vault protects a path below it.
Source: HashiCorp, "Policies", section on root-protected API endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.overlap import covers
from access.policy import Capability
from policies.resource_types import VAULT_POLICY
from policies.rule import Finding, Judgement, Rule, Severity
from policies.vault_policy import policy_of
from policies.view import View

NEEDS_SUDO = (
    "auth/token/accessors",
    "pki/root",
    "pki/root/sign-self-issued",
    "sys/audit",
    "sys/auth/*",
    "sys/config/auditing/request-headers",
    "sys/config/cors",
    "sys/leases/revoke-prefix/*",
    "sys/rotate",
    "sys/seal",
    "sys/step-down",
    "sys/storage/raft/snapshot-auto/config/*",
)


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each path with sudo that no protected path covers."""
    for rule in policy_of(properties).rules:
        if Capability.SUDO not in rule.capabilities:
            continue
        if not any(covers(protected, rule.path) for protected in NEEDS_SUDO):
            yield Finding(
                evidence=f'path "{rule.path}" has sudo',
                fix=f'drop sudo from path "{rule.path}", or name one of {", ".join(NEEDS_SUDO)}',
            )


RULE = Rule(
    id="vault-policy-sudo-is-named",
    title="A Vault policy must have sudo only on paths that need it.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6(1)", "CIS Controls 5.4"),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="Give sudo path by path, only where Vault asks for it.",
    check=check,
)
