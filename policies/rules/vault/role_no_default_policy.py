"""A role should switch the `default` policy off.

It allows wrapping, cubbyhole and lookups that a workload does not need, and it is one document that
anybody with access to it can widen for all tokens at once.
Source: HashiCorp, "Policies", default policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import AUTH_ROLES
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each
from policies.vault_policy import policy_name
from policies.view import View


def _listed(entry: View) -> Iterator[Judgement]:
    if policy_name(entry) == "default":
        yield Finding(evidence=f"{entry.path} is 'default'", fix=f"remove {entry.path}")


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when the default policy is on, or named."""
    if role["tokenNoDefaultPolicy"].flag() is not True:
        yield Finding(
            evidence=f"tokenNoDefaultPolicy is {role['tokenNoDefaultPolicy'].text() or 'not set'}",
            fix="set tokenNoDefaultPolicy to true",
        )
    yield from each(role["tokenPolicies"].entries(), _listed)


RULE = Rule(
    id="vault-role-no-default-policy",
    title="A Vault auth role must switch the default policy off.",
    severity=Severity.LOW,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=AUTH_ROLES,
    remediation="Set token_no_default_policy and grant lookup, renew and revoke of the own token.",
    levels=ADVISED,
    check=check,
)
