"""What a rule is: metadata and one plain function over a resource's properties, or over a stack.

Owns the vocabulary of the rules. Knows nothing of Pulumi, so that every rule is tested by value and
can judge a manifest as well as a resource; `policies.pack` and `policies.check` do the wiring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from policies.view import NotKnown, View


class Severity(StrEnum):
    """How bad it is when the rule is broken, in the engine's own words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Environment(StrEnum):
    """The environments of a stack, as `strongroom:environment` names them."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


class Level(StrEnum):
    """Whether a finding stops a deployment, in the engine's own words."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"


Levels = Mapping[Environment, Level]

REQUIRED: Levels = dict.fromkeys(Environment, Level.MANDATORY)
ADVISED: Levels = dict.fromkeys(Environment, Level.ADVISORY)
REQUIRED_IN_PROD: Levels = {**ADVISED, Environment.PROD: Level.MANDATORY}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One violation: the evidence as it stands in the resource, and the change that mends it.

    Evidence is shown to people and kept in reports: it never holds a value that may be secret.
    `urn` says which resource of a stack is meant; empty for the one that is judged.
    """

    evidence: str
    fix: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class NotChecked:
    """A part of a resource that could not be judged, and the reason."""

    path: str
    reason: str = "unknown until deployed"
    urn: str = ""


Judgement = Finding | NotChecked


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as rules see it.

    `properties` are its inputs as plain mappings and lists, keys as the provider spells them.
    `depends_on` names, for each property, the URNs of the resources that its value comes from.
    """

    type: str
    name: str
    urn: str
    properties: Mapping[str, Any]
    depends_on: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """The properties, to be read."""
        return View(self.properties)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What every rule carries for the reader of a report.

    `resource_types` are the types it speaks of; `levels` say where it stops a deployment.
    """

    id: str
    title: str
    severity: Severity
    frameworks: tuple[str, ...]
    resource_types: frozenset[str]
    remediation: str
    levels: Levels = field(default_factory=lambda: REQUIRED)


@dataclass(frozen=True, kw_only=True)
class Rule(Requirement):
    """A requirement on each resource by itself. `check` yields nothing when all is well."""

    check: Callable[[View], Iterable[Judgement]]

    def judge(self, properties: Mapping[str, Any]) -> list[Judgement]:
        """All judgements; a value that stops the check from going on is among them."""
        return list(guarded(lambda: self.check(View(properties))))


@dataclass(frozen=True, kw_only=True)
class StackRule(Requirement):
    """A requirement on the resources together. `check` gets those of its types, in order."""

    check: Callable[[Sequence[Resource]], Iterable[Judgement]]

    def judge(self, resources: Iterable[Resource]) -> list[Judgement]:
        """All judgements on the stack."""
        relevant = [each for each in resources if each.type in self.resource_types]
        return list(guarded(lambda: self.check(relevant))) if relevant else []


def of_type(resources: Iterable[Resource], type_: str) -> list[Resource]:
    """The resources of one type, in their order."""
    return [resource for resource in resources if resource.type == type_]


def guarded(check: Callable[[], Iterable[Judgement]]) -> Iterator[Judgement]:
    """The judgements of `check`, and as the last a NotChecked when it met what it cannot read."""
    try:
        yield from check()
    except NotKnown as unknown:
        yield NotChecked(path=unknown.path, reason=unknown.reason)


def each(
    entries: Iterable[View], check: Callable[[View], Iterable[Judgement]]
) -> Iterator[Judgement]:
    """Judge every entry by itself, so that an unknown one does not hide a fault after it."""
    for entry in entries:
        yield from guarded(partial(check, entry))


def each_of(listed: View, check: Callable[[View], Iterable[Judgement]]) -> Iterator[Judgement]:
    """Judge every entry of a list by itself; the list may be unknown too."""
    yield from each([listed], lambda known: each(known.entries(), check))


def each_resource(
    resources: Iterable[Resource], check: Callable[[Resource], Iterable[Judgement]]
) -> Iterator[Judgement]:
    """Judge every resource by itself; each judgement names its resource."""
    for resource in resources:
        for judgement in guarded(partial(check, resource)):
            yield replace(judgement, urn=judgement.urn or resource.urn)
