"""What the Vault policy rules share: the parsed policy of a resource, and its dangerous grants.

Owns no judgement. Parsing and precedence are those of `access`.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import replace

from access.evaluate import Acl
from access.overlap import UNNAMED, witness
from access.policy import Capability, PathRule, Policy, PolicyError
from access.policy_hcl import parse
from policies.view import NotKnown, View

SYSTEM = ("sys", "auth", "identity")
"""What every namespace has below its own path, and no engine can be mounted at."""
# Below these stand names of secrets, which may be any; a cubbyhole is its holder's own.
_NAMES = frozenset({"data", "metadata", "delete", "undelete", "destroy", "subkeys", "cubbyhole"})
WRITES = (Capability.CREATE, Capability.UPDATE, Capability.PATCH, Capability.DELETE)


def policy_of(properties: View) -> Policy:
    """The policy of a `vault:index/policy:Policy`. Raises NotKnown when Vault could not read it."""
    text = properties["policy"]
    try:
        return parse(text.text(), properties["name"].text())
    except PolicyError as error:
        raise NotKnown(text.path, str(error)) from error


def child_namespaces(policy: Policy) -> Iterator[tuple[str, Policy]]:
    """What a policy allows in child namespaces: each one's path, and the rules as seen from there.

    Which first segments are namespaces is not known. Taken for one is what has `sys`, `auth` or
    `identity` below it, written out; in an engine of KV version 1 it may be a secret of that name.
    """
    found: dict[str, list[PathRule]] = {}
    for rule in policy.rules:
        if namespace := _namespace(rule.path.split("/")):
            inside = replace(rule, path=rule.path.removeprefix(namespace))
            found.setdefault(namespace, []).append(inside)
    for namespace, rules in found.items():
        yield namespace, Policy(name=policy.name, rules=tuple(rules))


def _namespace(segments: list[str]) -> str:
    """The child namespace of a path, with its last slash; empty for the path of none."""
    for index, segment in enumerate(segments):
        if segment in _NAMES:
            break
        if segment.removesuffix("*") in SYSTEM:
            return "".join(f"{each}/" for each in segments[:index])
    return ""


def policy_name(entry: View) -> str:
    """The policy that an entry of a role's list means: Vault drops case and the spaces around."""
    return entry.text().strip().lower()


def stranger(policy: Policy) -> str:
    """A name that no rule of the policy can mean, for asking what its wildcards reach.

    A fixed one could be denied by whoever knows it, and everything else be left open.
    """
    written = {letter for rule in policy.rules for letter in rule.path}
    letters = (UNNAMED[0], *string.ascii_letters, *string.digits)
    return next((letter for letter in letters if letter not in written), "~") + UNNAMED[1:]


def grants(
    policy: Policy, patterns: Iterable[str], capabilities: Iterable[Capability]
) -> Iterator[tuple[PathRule, str, list[Capability]]]:
    """Each rule that gives one of `capabilities` on a request that a pattern covers.

    Yields the rule, such a request, and what it allows there. A rule that another one takes back,
    as Vault decides, is left out.
    """
    acl, wanted, patterns = Acl([policy]), tuple(capabilities), tuple(patterns)
    unnamed = stranger(policy)
    for rule in policy.rules:
        for pattern in patterns:
            path = witness(rule.path, pattern, unnamed)
            if path is None:
                continue
            if given := [c for c in wanted if c in rule.capabilities and _holds(acl, path, c)]:
                yield rule, path, given
                break


def _holds(acl: Acl, path: str, capability: Capability) -> bool:
    return acl.explain(path, capability).allowed
