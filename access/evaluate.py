"""Decides as Vault decides: which rule governs a path, what it allows, and why not another rule.

Owns the precedence of Vault's ACLs. Rules for the same path in several policies are merged (`deny`
beats all); then an exact path wins, then the most specific among the longest prefix and the paths
with `+`. What a request carries is judged by `access.parameters`.
A LIST of `a/b/` is first matched as `a/b`, so that `deny` on `a/b/*` alone does not stop it where
`a/*` allows it: Vault 1.21 and all before 2.0.3 behave so (GHSA-xp3c-3jw3-4vcr).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from access import parameters
from access.policy import Capability, Parameters, PathRule, Policy

DENY = frozenset({Capability.DENY})

# A later first wildcard, no trailing glob, fewer `+` segments, a longer path, the greater string.
Specificity = tuple[int, bool, int, int, str]


@dataclass(frozen=True, kw_only=True)
class MergedRule:
    """All rules for one path of a set of policies: what they allow together, and who says so.

    `said` holds each policy with the capabilities that it gives on this path.
    """

    path: str
    capabilities: frozenset[Capability]
    said: tuple[tuple[str, frozenset[Capability]], ...]
    allowed_parameters: Parameters = field(default_factory=dict)
    denied_parameters: Parameters = field(default_factory=dict)
    required_parameters: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[str, ...]:
        """The policies with a rule for this path, each once."""
        return tuple(dict.fromkeys(policy for policy, _ in self.said))

    def policies_with(self, capability: Capability) -> tuple[str, ...]:
        """The policies that give (or, asked for `deny`, take away) the capability here."""
        return tuple(
            dict.fromkeys(p for p, capabilities in self.said if capability in capabilities)
        )

    @property
    def is_conditional(self) -> bool:
        """Whether a request's parameters decide, too."""
        return bool(self.allowed_parameters or self.denied_parameters or self.required_parameters)


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A rule that covers the path as well and does not govern it, and why."""

    rule: MergedRule
    reason: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a capability is allowed on a path, by which rule and policies, and why.

    `policies` are those that allow or deny it; `lost` are the other rules that cover the path, the
    most specific first.
    """

    allowed: bool
    rule: MergedRule | None
    reason: str
    policies: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()


class Acl:
    """The policies of one token, ready to be asked."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._exact: dict[str, MergedRule] = {}
        self._prefix: dict[str, MergedRule] = {}
        self._segments: dict[str, MergedRule] = {}
        for policy in policies:
            for rule in policy.rules:
                self._add(rule, policy.name)

    @property
    def rules(self) -> tuple[MergedRule, ...]:
        """Every path that the policies speak of, merged."""
        tables = (self._exact, self._prefix, self._segments)
        return tuple(rule for table in tables for rule in table.values())

    def capabilities(self, path: str) -> frozenset[Capability]:
        """What `sys/capabilities` answers for the path; `{deny}` when nothing is allowed."""
        rule = self.rule_for(path, listing=True)
        return rule.capabilities if rule and rule.capabilities else DENY

    def explain(
        self, path: str, capability: Capability, data: Mapping[str, object] | None = None
    ) -> Decision:
        """Whether the capability is allowed on the path, which rule decides, and why others do not.

        `data` are the request's parameters; without it they are not judged, only mentioned.
        """
        listing = capability is Capability.LIST
        rule = self.rule_for(path, listing=listing)
        if rule is None:
            return Decision(
                allowed=False, rule=None, reason=f'no rule covers "{path}", so Vault denies it'
            )
        lost = tuple(self._lost(path, rule, listing=listing))
        if Capability.DENY in rule.capabilities:
            denying = rule.policies_with(Capability.DENY)
            return Decision(
                allowed=False,
                rule=rule,
                reason=f'"{rule.path}" ({", ".join(denying)}) denies, '
                "and deny wins over every capability",
                policies=denying,
                lost=lost,
            )
        giving = rule.policies_with(capability)
        said_by = ", ".join(giving or rule.policies)
        verb = "allows" if giving else "is the most specific rule and does not allow"
        reason = f'"{rule.path}" ({said_by}) {verb} {capability}'
        refused = None
        if giving and capability in parameters.JUDGED and rule.is_conditional:
            if data is None:
                reason += ", for requests whose parameters it lets through"
            else:
                refused = parameters.refusal(
                    data,
                    allowed=rule.allowed_parameters,
                    denied=rule.denied_parameters,
                    required=rule.required_parameters,
                )
                reason += f", but {refused}" if refused else ""
        return Decision(
            allowed=bool(giving) and refused is None,
            rule=rule,
            reason=reason,
            policies=giving,
            lost=lost,
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
        known = table.get(key) or MergedRule(path=rule.path, capabilities=frozenset(), said=())
        capabilities = rule.capabilities | known.capabilities
        table[key] = MergedRule(
            path=rule.path,
            capabilities=DENY if Capability.DENY in capabilities else capabilities,
            said=(*known.said, (policy, rule.capabilities)),
            allowed_parameters=parameters.merge(known.allowed_parameters, rule.allowed_parameters),
            denied_parameters=parameters.merge(known.denied_parameters, rule.denied_parameters),
            required_parameters=(*known.required_parameters, *rule.required_parameters),
        )

    def _most_specific(self, path: str) -> MergedRule | None:
        best = max(self._covering(path), key=lambda candidate: candidate[0], default=None)
        return best[1] if best else None

    def _covering(self, path: str) -> Iterator[tuple[Specificity, MergedRule]]:
        for length in range(len(path), -1, -1):
            if rule := self._prefix.get(path[:length]):
                yield (length, False, 0, length, path[:length]), rule
        parts = path.split("/")
        for pattern, rule in self._segments.items():
            if _matches(pattern, parts):
                yield _specificity(pattern), rule

    def _lost(self, path: str, winner: MergedRule, *, listing: bool) -> Iterator[Lost]:
        path = path.lstrip("/")
        bare = path.removesuffix("/")
        covering = {rule.path: (key, rule) for key, rule in self._covering(path)}
        if listing:
            covering |= {rule.path: (key, rule) for key, rule in self._covering(bare)}
            shorter = self._exact.get(bare)
            if shorter and shorter is not winner:
                yield Lost(rule=shorter, reason=_why_lost(None, winner, None))
        winning, _ = covering.pop(winner.path, (None, winner))
        for key, rule in sorted(covering.values(), key=lambda entry: entry[0], reverse=True):
            yield Lost(rule=rule, reason=_why_lost(key, winner, winning))


def _why_lost(losing: Specificity | None, winner: MergedRule, winning: Specificity | None) -> str:
    if winning is None or losing is None:
        return f'"{winner.path}" names the path exactly'
    if winning < losing:
        return f'a LIST is matched without its last slash first, and "{winner.path}" covers that'
    if winning[0] != losing[0]:
        return (
            f"its first wildcard comes after {losing[0]} characters, "
            f'that of "{winner.path}" after {winning[0]}'
        )
    if winning[1] != losing[1]:
        return f'it ends in "*" and "{winner.path}" does not'
    if winning[2] != losing[2]:
        return f'it has {-losing[2]} "+" segments and "{winner.path}" has {-winning[2]}'
    if winning[3] != losing[3]:
        return f'it is shorter than "{winner.path}"'
    return f'it sorts before "{winner.path}"'


def _specificity(pattern: str) -> Specificity:
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
