"""Parameters that a Vault policy allows on roles and tokens must be written out.

`"*" = []` allows every parameter with every value, which turns a narrow path into a free choice of
policies. A value with a glob inside a list of values is compared as text or not at all, depending
on the parameter's type (hashicorp/vault#18591).
"""

from __future__ import annotations

from collections.abc import Iterator

from access.overlap import witness
from policies.resource_types import VAULT_POLICY
from policies.rule import Finding, Judgement, Rule, Severity
from policies.vault_policy import WRITES, policy_of
from policies.view import View

SENSITIVE = (
    "auth/token/create*",
    "auth/+/role/*",
    "auth/+/roles/*",
    "identity/*",
    "+/roles/*",
)


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each parameter on a sensitive path that is not written out."""
    for rule in policy_of(properties).rules:
        if not rule.capabilities & set(WRITES):
            continue
        if not any(witness(rule.path, sensitive) for sensitive in SENSITIVE):
            continue
        where = f'path "{rule.path}" has allowed_parameters'
        for name, values in rule.allowed_parameters.items():
            if name == "*" and not values:
                yield Finding(
                    evidence=f'{where} "*" = []: every parameter, every value',
                    fix="name the parameters and their values",
                )
            elif globs := [v for v in values if isinstance(v, str) and "*" in v]:
                yield Finding(
                    evidence=f'{where} "{name}" with the glob "{globs[0]}"',
                    fix=f'write out the values of "{name}"',
                )


RULE = Rule(
    id="vault-policy-parameters-hold",
    title="A Vault policy must write out the parameters it allows on roles and tokens.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="List each parameter with its values; leave out what nobody needs to choose.",
    check=check,
)
