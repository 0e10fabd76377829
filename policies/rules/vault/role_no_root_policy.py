"""Nothing but Vault's own initialisation may hand out the `root` policy.

A glob in the policies a token role may choose from is as wide as the names that match it.
Source: HashiCorp, "Production hardening".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import AUTH_ROLES, IDENTITIES, VAULT_TOKEN
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.vault_policy import policy_name
from policies.view import View

NAMES = ("tokenPolicies", "policies", "allowedPolicies")
GLOBS = ("allowedPoliciesGlobs",)


def _name(entry: View) -> Iterator[Judgement]:
    if policy_name(entry) == "root":
        yield Finding(
            evidence=f"{entry.path} is 'root'", fix=f"name a narrow policy in {entry.path}"
        )
    elif "*" in entry.text():
        yield Finding(
            evidence=f"{entry.path} is {entry.text()!r}",
            fix=f"write out the policies in {entry.path}",
        )


def check(holder: View) -> Iterator[Judgement]:
    """Yield a finding for each root policy, and for each glob over policies."""
    for name in (*NAMES, *GLOBS):
        yield from each_of(holder[name], _name)


RULE = Rule(
    id="vault-role-no-root-policy",
    title="A Vault role, token or identity must not hold the root policy.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6(2)",),
    resource_types=AUTH_ROLES | IDENTITIES | {VAULT_TOKEN},
    remediation="Write a policy for the task; generate a root token only in an emergency.",
    check=check,
)
