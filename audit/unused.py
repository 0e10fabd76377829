"""Granted minus used: what grants allow that nobody did, and the narrower policy.

Owns the comparison. A grant's care for its own token is left as it is: a client must always be able
to give up what it holds. What was not used within the time that was read may still be needed later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from access.evaluate import Acl
from access.grant import OWN_TOKEN, Grant
from access.policy import Capability, PathRule, Policy
from access.policy_hcl import render

# Which of both Vault asks for depends on whether something is there, not on the client.
_WRITING = frozenset({Capability.CREATE, Capability.UPDATE})
_OPERATIONS: Mapping[str, frozenset[Capability]] = {
    "read": frozenset({Capability.READ}),
    "list": frozenset({Capability.LIST}),
    "create": _WRITING,
    "update": _WRITING,
    "patch": frozenset({Capability.PATCH}),
    "delete": frozenset({Capability.DELETE}),
}


@dataclass(frozen=True, kw_only=True)
class UnusedRight:
    """Capabilities on a path that were granted and not used."""

    path: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UnusedGrant:
    """A grant of which something was not used.

    `narrower` is the policy that allows what was used, as HCL; empty when nothing was, so that the
    grant can go.
    """

    grant: str
    unused: tuple[UnusedRight, ...]
    narrower: str


def unused(grants: Iterable[Grant], used: Sequence[Mapping[str, Any]]) -> list[UnusedGrant]:
    """What of each grant was not used. `used` are the rows of `audit.reports.granted`."""
    found = (
        _of_grant(grant.policy, [row for row in used if row["policy"] == grant.name])
        for grant in grants
    )
    return [one for one in found if one]


def _of_grant(policy: Policy, used: Sequence[Mapping[str, Any]]) -> UnusedGrant | None:
    own = {rule.path for rule in OWN_TOKEN}
    acl = Acl([policy])
    exercised: dict[str, frozenset[Capability]] = {}
    for row in used:
        operation = row["operation"]
        deciding = acl.rule_for(row["path"], listing=operation == "list")
        if deciding:
            done = _OPERATIONS.get(operation, frozenset())
            exercised[deciding.path] = exercised.get(deciding.path, frozenset()) | done
    kept: list[PathRule] = []
    left: list[UnusedRight] = []
    for rule in policy.rules:
        needed = rule.capabilities & exercised.get(rule.path, frozenset())
        if rule.path in own:
            continue
        if needed:
            kept.append(PathRule(path=rule.path, capabilities=needed))
        if rest := rule.capabilities - needed:
            names = tuple(c.value for c in Capability if c in rest)
            left.append(UnusedRight(path=rule.path, capabilities=names))
    if not left:
        return None
    narrower = render(Policy(name=policy.name, rules=(*kept, *OWN_TOKEN))) if kept else ""
    return UnusedGrant(grant=policy.name, unused=tuple(left), narrower=narrower)
