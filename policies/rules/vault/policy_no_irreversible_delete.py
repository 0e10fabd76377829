"""A Vault policy must not allow what no undelete brings back.

Deleting `metadata/` removes every version of a secret at once, `destroy/` the versions named.
`delete` on `data/` is fine: it can be undone.
Source: HashiCorp, "KV secrets engine - version 2".
"""

from __future__ import annotations

from collections.abc import Iterator

from access.policy import Capability
from policies.resource_types import VAULT_POLICY
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.vault_policy import grants, policy_of
from policies.view import View

# Mounts that are no KV engine, whatever the second part of a path in them is called.
OTHERS = ("auth/", "cubbyhole/", "identity/", "sys/")


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each rule that destroys versions."""
    policy = policy_of(properties)
    for rule, path, given in (
        *grants(policy, ("+/metadata/*",), (Capability.DELETE,)),
        *grants(policy, ("+/destroy/*",), (Capability.CREATE, Capability.UPDATE)),
    ):
        if not path.startswith(OTHERS):
            yield Finding(
                evidence=f'path "{rule.path}" allows {", ".join(given)} on "{path}"',
                fix=f'remove {", ".join(given)} from "{rule.path}"; delete on data/ can be undone',
            )


RULE = Rule(
    id="vault-policy-no-irreversible-delete",
    title="A Vault policy must not allow destroying versions of a secret.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 CP-9", "NIST SP 800-53 AC-6"),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="Give delete on data/ only; destroy versions under a waiver with an owner.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
