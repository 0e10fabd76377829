"""A `deny` must hold against every other rule of its policy.

Vault takes the most specific rule, and what is more specific surprises people: a `+` early in the
path loses to a longer prefix (hashicorp/vault#8813, #10905, #10096). A rule that lies wholly inside
the deny is an exception somebody wrote on purpose; any other rule that wins is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.evaluate import Acl
from access.overlap import covers, witness
from access.policy import Capability
from policies.resource_types import VAULT_POLICY
from policies.rule import Finding, Judgement, Rule, Severity
from policies.vault_policy import policy_of
from policies.view import View


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each deny that another rule out-ranks on a common request."""
    policy = policy_of(properties)
    acl = Acl([policy])
    for deny in (r for r in policy.rules if Capability.DENY in r.capabilities):
        for other in policy.rules:
            path = witness(deny.path, other.path)
            if not path or covers(deny.path, other.path):
                continue
            if won := [c for c in sorted(other.capabilities) if acl.explain(path, c).allowed]:
                yield Finding(
                    evidence=f'path "{deny.path}" denies "{path}", but path "{other.path}" '
                    f"is more specific and allows {', '.join(won)}",
                    fix=f'deny by exact path or by a prefix longer than "{other.path}"',
                )


RULE = Rule(
    id="vault-policy-deny-holds",
    title="A deny in a Vault policy must hold against its other rules.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-3",),
    resource_types=frozenset({VAULT_POLICY}),
    remediation="Ask which rule wins with access.evaluate.Acl.explain, then write the longer path.",
    check=check,
)
