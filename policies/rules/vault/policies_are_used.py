"""Every policy must be held by somebody, and every role must name policies that exist.

A role that names a missing policy logs in and gets nothing, silently; the day somebody writes a
policy of that name it gets that. A policy without a holder is access that nobody reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policies.resource_types import AUTH_ROLES, IDENTITIES, VAULT_POLICY
from policies.rule import (
    ADVISED,
    Finding,
    Judgement,
    Resource,
    Severity,
    StackRule,
    each_of,
    each_resource,
    of_type,
)
from policies.vault_policy import policy_name
from policies.view import View

BUILT_IN = frozenset({"default", "root"})


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each missing policy, and for each that nothing holds."""
    policies = of_type(resources, VAULT_POLICY)
    holders = [each for each in resources if each.type != VAULT_POLICY]
    names = {policy_name(each.view["name"]) for each in policies}
    if names:
        yield from each_resource(holders, lambda holder: each_of(_held(holder), _exists(names)))
    held = {policy_name(entry) for each in holders for entry in _held(each).entries()}
    for each in policies if holders else ():  # policies alone are a folder of files
        if policy_name(each.view["name"]) not in held:
            yield Finding(
                evidence=f"no role, entity or group holds {each.view['name'].text()!r}",
                fix="remove the policy, or give it to the role that needs it",
                urn=each.urn,
            )


def _held(holder: Resource) -> View:
    return holder.view["policies" if holder.type in IDENTITIES else "tokenPolicies"]


def _exists(names: set[str]) -> Callable[[View], Iterator[Judgement]]:
    def judge(entry: View) -> Iterator[Judgement]:
        if policy_name(entry) not in names | BUILT_IN:
            yield Finding(
                evidence=f"{entry.path} names {entry.text()!r}, which this stack does not have",
                fix="correct the name, or write the policy in this stack",
            )

    return judge


RULE = StackRule(
    id="vault-policies-are-used",
    title="A Vault policy must be held by a role, and a role must name existing policies.",
    severity=Severity.LOW,
    frameworks=("NIST SP 800-53 AC-2",),
    resource_types=frozenset({VAULT_POLICY}) | AUTH_ROLES | IDENTITIES,
    remediation="Keep policy and role in one grant.",
    levels=ADVISED,
    check=check,
)
