"""Decides as Vault decides: which rule governs a path, and what it allows.

Owns the precedence of Vault's ACLs. Rules for the same path in several policies are merged (`deny`
beats all); then an exact path wins, then the most specific among the longest prefix and the paths
with `+`. Parameters are carried, not judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from access.policy import Capability, PathRule, Policy

DENY = frozenset({Capability.DENY})


@dataclass(frozen=True, kw_only=True)
class MergedRule:
    """All rules for one path of a set of policies: what they allow together, and who says so."""

    path: str
    capabilities: frozenset[Capability]
    policies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a capability is allowed on a path, by which rule, and why in one sentence."""

    allowed: bool
    rule: MergedRule | None
    reason: str


class Acl:
    """The policies of one token, ready to be asked."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._exact: dict[str, MergedRule] = {}
        self._prefix: dict[str, MergedRule] = {}
        self._segments: dict[str, MergedRule] = {}
        for policy in policies:
            for rule in policy.rules:
                self._add(rule, policy.name)

    def capabilities(self, path: str) -> frozenset[Capability]:
        """What `sys/capabilities` answers for the path; `{deny}` when nothing is allowed."""
        rule = self.rule_for(path, listing=True)
        return rule.capabilities if rule and rule.capabilities else DENY

    def explain(self, path: str, capability: Capability) -> Decision:
        """Whether the capability is allowed on the path, naming the rule that decides."""
        rule = self.rule_for(path, listing=capability is Capability.LIST)
        if rule is None:
            return Decision(
                allowed=False, rule=None, reason=f'no rule covers "{path}", so Vault denies it'
            )
        said_by = ", ".join(rule.policies)
        if Capability.DENY in rule.capabilities:
            reason = f'"{rule.path}" ({said_by}) denies, and deny wins over every capability'
            return Decision(allowed=False, rule=rule, reason=reason)
        allowed = capability in rule.capabilities
        verb = "allows" if allowed else "is the most specific rule and does not allow"
        return Decision(
            allowed=allowed, rule=rule, reason=f'"{rule.path}" ({said_by}) {verb} {capability}'
        )

    def rule_for(self, path: str, *, listing: bool) -> MergedRule | None:
        """The rule that governs a request; `listing` adds Vault's fallback for a trailing slash."""
        path = path.lstrip("/")
        bare = path.removesuffix("/")
        if rule := self._exact.get(path):
            return rule
        if listing and (rule := self._exact.get(bare) or self._most_specific(bare)):
            return rule
        return self._most_specific(path)

    def _add(self, rule: PathRule, policy: str) -> None:
        if rule.has_segment_wildcard:
            table, key = self._segments, rule.path
        elif rule.is_prefix:
            table, key = self._prefix, rule.path[:-1]
        else:
            table, key = self._exact, rule.path
        merged = table.get(key)
        capabilities = rule.capabilities | (merged.capabilities if merged else frozenset())
        policies = tuple(dict.fromkeys((*(merged.policies if merged else ()), policy)))
        if Capability.DENY in capabilities:
            capabilities = DENY
        table[key] = MergedRule(path=rule.path, capabilities=capabilities, policies=policies)

    def _most_specific(self, path: str) -> MergedRule | None:
        candidates = []
        for length in range(len(path), -1, -1):
            if rule := self._prefix.get(path[:length]):
                candidates.append(((length, False, 0, length, path[:length]), rule))
                break
        parts = path.split("/")
        for pattern, rule in self._segments.items():
            if _matches(pattern, parts):
                candidates.append((_specificity(pattern), rule))
        return max(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def _specificity(pattern: str) -> tuple[int, bool, int, int, str]:
    """Vault's order among candidates: a later first wildcard, no trailing glob, fewer `+`
    segments, a longer path, and at last the greater string."""
    text = pattern.removesuffix("*")
    wildcards = text.split("/").count("+")
    return (pattern.index("+"), text == pattern, -wildcards, len(text), text)


def _matches(pattern: str, parts: list[str]) -> bool:
    text = pattern.removesuffix("*")
    is_prefix = text != pattern
    segments = text.split("/")
    if len(parts) < len(segments) or (not is_prefix and len(parts) != len(segments)):
        return False
    last = len(segments) - 1
    return all(
        segment in ("+", parts[index])
        or (is_prefix and index == last and parts[index].startswith(segment))
        for index, segment in enumerate(segments)
    )
