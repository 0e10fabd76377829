"""Two texts of a policy, compared by what they allow.

A rule written in another way, in another order or twice is no difference. Both texts are asked
about the same requests: for each pair of their paths one that both cover and that nobody named, so
that every region which the two can judge differently is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from access.evaluate import Acl, MergedRule
from access.overlap import witness
from access.policy import Capability, PolicyError
from access.policy_hcl import parse

_LIST = frozenset({Capability.LIST})
_NOTHING = frozenset[Capability]()


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What a policy says of one request, and the path of the rule that says it.

    `deny` is told apart from saying nothing: it wins over the other policies of a token.
    """

    capabilities: frozenset[Capability]
    conditions: str
    path: str


def differing(program: str, live: str) -> Iterator[str]:
    """A sentence for each path that the live policy judges in another way."""
    if program == live:
        return
    try:
        here, there = Acl([parse(program, "in the program")]), Acl([parse(live, "in Vault")])
    except PolicyError as error:
        yield f"the texts differ and cannot be judged: {error}"
        return
    gained: dict[str, set[str]] = {}
    lost: dict[str, set[str]] = {}
    conditions: dict[str, str] = {}
    for request, listing in product(_requests(here, there), (False, True)):
        mine = _judge(here, request, listing=listing)
        its = _judge(there, request, listing=listing)
        path = max(mine.path, its.path, key=len)
        if added := its.capabilities - mine.capabilities:
            gained.setdefault(path, set()).update(c.value for c in added)
        if gone := mine.capabilities - its.capabilities:
            lost.setdefault(path, set()).update(c.value for c in gone)
        if not added and not gone and mine.conditions != its.conditions:
            conditions[path] = (
                f"conditions are {its.conditions or 'none'}, in the program "
                f"{mine.conditions or 'none'}"
            )
    for path in sorted({*gained, *lost, *conditions}):
        parts = [f"now says {', '.join(sorted(gained[path]))}"] if path in gained else []
        parts += [f"no longer says {', '.join(sorted(lost[path]))}"] if path in lost else []
        parts += [conditions[path]] if path in conditions else []
        yield f"{path}: {'; '.join(parts)}"


def _requests(here: Acl, there: Acl) -> list[str]:
    patterns = sorted({rule.path for acl in (here, there) for rule in acl.rules})
    # The pairs within one policy count as well: where two of its rules meet, one of them governs.
    met = {found for one, other in product(patterns, patterns) if (found := witness(one, other))}
    # A LIST is matched with and without its last slash; a prefix may end in one.
    return sorted({request for path in met for request in (path, f"{path.removesuffix('/')}/")})


def _judge(acl: Acl, request: str, *, listing: bool) -> _Judged:
    rule = acl.rule_for(request, listing=listing)
    if rule is None:
        return _Judged(capabilities=_NOTHING, conditions="", path="")
    said = rule.capabilities
    denied = Capability.DENY in said
    return _Judged(
        capabilities=said if denied else said & _LIST if listing else said - _LIST,
        conditions="" if listing else _conditions(rule),
        path=rule.path,
    )


def _conditions(rule: MergedRule) -> str:
    named = {
        "allowed": {k: sorted(map(str, v)) for k, v in sorted(rule.allowed_parameters.items())},
        "denied": {k: sorted(map(str, v)) for k, v in sorted(rule.denied_parameters.items())},
        "required": sorted(rule.required_parameters),
    }
    return "; ".join(f"{name} {value}" for name, value in named.items() if value)
