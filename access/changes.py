"""What a change gives and takes: two matrices compared, in words.

Owns the comparison. A right that only moves from one role to another is neither gained nor lost, so
that a reviewer reads what matters first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from access.matrix import Matrix
from access.model import Subject, System
from access.policy import Capability


class Effect(StrEnum):
    """What happens to a right."""

    GAINS = "gains"
    LOSES = "loses"
    KEEPS = "keeps"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one subject on one path, or in whom it can act as. `str()` is a sentence."""

    subject: Subject
    effect: Effect
    capabilities: tuple[str, ...]
    path: str
    via: str
    before: str = ""
    acts_as: Subject | None = None

    def __str__(self) -> str:
        if self.acts_as:
            return (
                f"{self.subject.in_words} {self.effect} every right of {self.acts_as.in_words} "
                f"through {self.via}"
            )
        what = f"{self.subject.in_words} {self.effect} {_listed(self.capabilities)} on {self.path}"
        if self.effect is Effect.KEEPS:
            return f"{what}, now through {self.via} instead of {self.before}"
        return f"{what} through {self.via}"

    def as_data(self) -> dict[str, Any]:
        """The change as plain data for JSON, with its sentence."""
        return {
            "subject": str(self.subject),
            "effect": self.effect.value,
            "capabilities": list(self.capabilities),
            "path": self.path,
            "via": self.via,
            "before": self.before,
            "actsAs": str(self.acts_as) if self.acts_as else None,
            "sentence": str(self),
        }


_Key = tuple[Subject, System, str]
_DENY = "deny"


def diff(old: Matrix, new: Matrix) -> tuple[Change, ...]:
    """Every change from `old` to `new`: gains first, then losses, then what merely moved."""
    was, becomes = _rights(old), _rights(new)
    found: list[Change] = []
    for key in sorted(key for key in {*was, *becomes} if was[key] != becomes[key]):
        asked = {*was[key], *becomes[key], *Capability}
        before, after = (
            _in_effect(key, rights[key], asked, matrix)
            for rights, matrix in ((was, old), (becomes, new))
        )
        found += _compare(key, before, after)
    acted = {(t.subject, t.target): t for t in old.takeovers}
    acts = {(t.subject, t.target): t for t in new.takeovers}
    for effect, here, there in ((Effect.GAINS, acts, acted), (Effect.LOSES, acted, acts)):
        found += [
            Change(
                subject=subject,
                effect=effect,
                capabilities=(),
                path="",
                via=f"{takeover.via}, by which it may {takeover.how}",
                acts_as=target,
            )
            for (subject, target), takeover in sorted(here.items())
            if (subject, target) not in there
        ]
    return tuple(sorted(found, key=lambda change: list(Effect).index(change.effect)))


_Rights = dict[str, tuple[str, ...]]


def _rights(matrix: Matrix) -> dict[_Key, _Rights]:
    """For each subject and path: every capability, and the roles that it comes through."""
    rights: dict[_Key, _Rights] = defaultdict(dict)
    for row in matrix.rows:
        held = rights[row.subject, row.system, row.path]
        for capability in row.capabilities:
            held[capability] = tuple(dict.fromkeys((*held.get(capability, ()), row.via)))
    return rights


def _in_effect(key: _Key, own: _Rights, asked: set[str], matrix: Matrix) -> _Rights:
    """What the subject holds on the path: its own rules there, or a wider one's in their place."""
    subject, _, path = key
    if _is_pattern(path):
        return own
    if not any(_is_pattern(row.path) and row.subject.overlaps(subject) for row in matrix.rows):
        return {capability: via for capability, via in own.items() if capability != _DENY}
    held = {
        capability: tuple(
            dict.fromkeys(
                holder.via
                for holder in matrix.who_can(path, capability)
                if holder.subject.overlaps(subject) and not holder.indirect
            )
        )
        for capability in sorted(asked - {_DENY})
    }
    return {capability: via for capability, via in held.items() if via}


def _is_pattern(path: str) -> bool:
    return "*" in path or "+" in path


def _compare(key: _Key, was: _Rights, becomes: _Rights) -> Iterator[Change]:
    groups: dict[tuple[Effect, str, str], list[str]] = defaultdict(list)
    for capability in dict.fromkeys((*becomes, *was)):
        before = " and ".join(was.get(capability, ()))
        after = " and ".join(becomes.get(capability, ()))
        if capability == _DENY and before != after:
            effect = Effect.LOSES if after else Effect.GAINS
            groups[effect, after or before, ""].append("what wider rules allow")
        elif not before:
            groups[Effect.GAINS, after, ""].append(capability)
        elif not after:
            groups[Effect.LOSES, before, ""].append(capability)
        elif before != after:
            groups[Effect.KEEPS, after, before].append(capability)
    subject, _, path = key
    for (effect, via, before), capabilities in groups.items():
        yield Change(
            subject=subject,
            effect=effect,
            capabilities=tuple(capabilities),
            path=path,
            via=via,
            before=before,
        )


def _listed(words: tuple[str, ...]) -> str:
    *rest, last = words
    return f"{', '.join(rest)} and {last}" if rest else last
