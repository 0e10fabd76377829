"""A role should switch the `default` policy off.

It allows wrapping, cubbyhole and lookups that a workload does not need, and it is one document that
anybody with access to it can widen for all tokens at once.
Source: HashiCorp, "Policies", default policy.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import AUTH_ROLES, VAULT_TOKEN
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each_of
from policies.vault_policy import policy_name
from policies.view import View

SWITCHES = ("tokenNoDefaultPolicy", "noDefaultPolicy")
LISTS = ("tokenPolicies", "policies")
"""Of a role, and of a token that a stack makes."""


def _listed(entry: View) -> Iterator[Judgement]:
    if policy_name(entry) == "default":
        yield Finding(evidence=f"{entry.path} is 'default'", fix=f"remove {entry.path}")


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when the default policy is on, or named."""
    if all(role[name].flag() is not True for name in SWITCHES):
        yield Finding(
            evidence=f"tokenNoDefaultPolicy is {role['tokenNoDefaultPolicy'].text() or 'not set'}",
            fix="set tokenNoDefaultPolicy (of a token: noDefaultPolicy) to true",
        )
    for name in LISTS:
        yield from each_of(role[name], _listed)


RULE = Rule(
    id="vault-role-no-default-policy",
    title="A Vault auth role or token must switch the default policy off.",
    severity=Severity.LOW,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=AUTH_ROLES | {VAULT_TOKEN},
    remediation="Set token_no_default_policy and grant lookup, renew and revoke of the own token.",
    levels=ADVISED,
    check=check,
)
