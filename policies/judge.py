"""Judges resources by rules, and weighs each finding by its environment and the waivers.

Owns the one way from a judgement to an outcome; the pack and the checker both go it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policies.rule import (
    Environment,
    Finding,
    Judgement,
    Level,
    Requirement,
    Resource,
    Rule,
    StackRule,
)
from policies.waivers import Waiver, Waivers


class Status(StrEnum):
    """What became of a judgement."""

    BROKEN = "broken"
    WAIVED = "waived"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One judgement on one resource, weighed. `waiver` is the one that excuses it, or lapsed."""

    rule: Requirement
    resource: str
    urn: str
    status: Status
    level: Level
    evidence: str
    fix: str = ""
    waiver: Waiver | None = None

    @property
    def stops(self) -> bool:
        """Whether it stops a deployment."""
        return self.status is Status.BROKEN and self.level is Level.MANDATORY

    def __str__(self) -> str:
        said = f"{self.resource}: {self.evidence}."
        if self.status is Status.NOT_CHECKED:
            return f"{said} NOT CHECKED. ({self.rule.severity}, {self.rule.id})"
        if self.waiver and self.status is Status.WAIVED:
            said = f"{said} Waived until {self.waiver.expires} by {self.waiver.owner}:"
            return f"{said} {self.waiver.reason}. ({self.rule.severity}, {self.rule.id})"
        lapse = (
            f" The waiver of {self.waiver.owner} lapsed on {self.waiver.expires}."
            if (self.waiver)
            else ""
        )
        return f"{said} Fix: {self.fix}.{lapse} ({self.rule.severity}, {self.rule.id})"


def shown(text: str) -> str:
    """Text from a file or a resource on one line: what is no visible character is spelled out.

    Otherwise a name could end a line of a report and begin the next one, or hide it.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def outcomes(
    rules: Iterable[Requirement],
    resources: Sequence[Resource],
    environment: Environment,
    waivers: Waivers,
) -> Iterator[Outcome]:
    """Judge all resources by all rules, in the order of the rules."""
    for rule in rules:
        if isinstance(rule, Rule):
            for resource in (each for each in resources if each.type in rule.resource_types):
                judged = rule.judge(resource.properties)
                yield from weigh(rule, judged, {"": resource}, environment, waivers)
        elif isinstance(rule, StackRule):
            by_urn = {resource.urn: resource for resource in resources}
            yield from weigh(rule, rule.judge(resources), by_urn, environment, waivers)


def weigh(
    rule: Requirement,
    judgements: Iterable[Judgement],
    resources: dict[str, Resource],
    environment: Environment,
    waivers: Waivers,
) -> Iterator[Outcome]:
    """Turn a rule's judgements into outcomes. `resources` finds each by its judgement's `urn`."""
    level = rule.levels[environment]
    for judgement in judgements:
        resource = resources.get(judgement.urn)
        name = shown(resource.name) if resource else "the stack"
        urn = resource.urn if resource else judgement.urn
        if not isinstance(judgement, Finding):
            yield Outcome(
                rule=rule,
                resource=name,
                urn=urn,
                status=Status.NOT_CHECKED,
                level=Level.ADVISORY,
                evidence=shown(f"{judgement.path}: {judgement.reason}"),
            )
            continue
        excuse = waivers.excuse(rule.id, urn)
        yield Outcome(
            rule=rule,
            resource=name,
            urn=urn,
            status=Status.WAIVED if excuse else Status.BROKEN,
            level=level,
            evidence=shown(judgement.evidence),
            fix=shown(judgement.fix),
            waiver=excuse or waivers.lapsed(rule.id, urn),
        )
