"""What a rule is: metadata and one plain function over a resource's properties.

Owns the vocabulary of the rules. Knows nothing of Pulumi, so that every rule is tested by value and
can judge a manifest as well as a resource; `policies.pack` does the wiring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad it is when the rule is broken, in the engine's own words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Unknown:
    """Stands for a value that a preview cannot know yet. A rule must not take it for a pass."""

    def __repr__(self) -> str:
        return "<unknown until deployed>"


UNKNOWN = Unknown()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One violation: the evidence as it stands in the resource, and the change that mends it."""

    evidence: str
    fix: str


@dataclass(frozen=True, kw_only=True)
class NotChecked:
    """A part of the resource that could not be judged, and the property that was unknown."""

    path: str


Judgement = Finding | NotChecked


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One requirement on resources of some types.

    `check` gets the resource's inputs as plain mappings and lists, keys as the provider spells
    them, with `UNKNOWN` wherever a value is not known yet; it returns nothing when all is well.
    """

    id: str
    title: str
    severity: Severity
    frameworks: tuple[str, ...]
    resource_types: frozenset[str]
    remediation: str
    check: Callable[[Mapping[str, Any]], Iterable[Judgement]]
