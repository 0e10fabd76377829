"""What the Vault policy rules share: the parsed policy of a resource, and its dangerous grants.

Owns no judgement. Parsing and precedence are those of `access`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from access.evaluate import Acl
from access.overlap import witness
from access.policy import Capability, PathRule, Policy, PolicyError
from access.policy_hcl import parse
from policies.view import NotKnown, View

WRITES = (Capability.CREATE, Capability.UPDATE, Capability.PATCH, Capability.DELETE)


def policy_of(properties: View) -> Policy:
    """The policy of a `vault:index/policy:Policy`. Raises NotKnown when Vault could not read it."""
    text = properties["policy"]
    try:
        return parse(text.text(), properties["name"].text())
    except PolicyError as error:
        raise NotKnown(text.path, str(error)) from error


def grants(
    policy: Policy, patterns: Iterable[str], capabilities: Iterable[Capability]
) -> Iterator[tuple[PathRule, str, list[Capability]]]:
    """Each rule that gives one of `capabilities` on a request that a pattern covers.

    Yields the rule, such a request, and what it allows there. A rule that another one takes back,
    as Vault decides, is left out.
    """
    acl, wanted, patterns = Acl([policy]), tuple(capabilities), tuple(patterns)
    for rule in policy.rules:
        for pattern in patterns:
            path = witness(rule.path, pattern)
            if path is None:
                continue
            if given := [c for c in wanted if c in rule.capabilities and _holds(acl, path, c)]:
                yield rule, path, given
                break


def _holds(acl: Acl, path: str, capability: Capability) -> bool:
    return acl.explain(path, capability).allowed
