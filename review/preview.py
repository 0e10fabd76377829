"""A preview as its reviewer needs it: what changes, who gains access, what the policies say.

Owns what is told, in which order, and that no secret value is in it: every text of the engine goes
through the redactor here, so that each form of a report is safe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from review.events import Log, Message, Violation, name_of
from review.marked import brings_secrets
from review.redaction import Redactor
from review.rights import rights
from review.steps import ResourceChange, resource_changes

MANDATORY = "mandatory"
_NOT_CHECKED = "NOT CHECKED: "
_CANNOT_RUN = "can't run policy"
_SEVERITIES = ("critical", "high", "medium", "low")
_ENGINE_ENDS = "preview failed"  # the result says so already
_MAY_HOLD = (
    "this change may bring secret values that are not stored yet, so that nobody could tell "
    "whether one of them stands in a message; run `pulumi preview` to read them"
)


@dataclass(frozen=True, kw_only=True)
class AccessChange:
    """One right gained, lost or moved; the sentence says whose, which and through what."""

    effect: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a policy found in a resource."""

    policy: str
    level: str
    severity: str
    resource: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One environment's preview. `result` is the engine's word; empty when it ended before one."""

    stack: str
    result: str
    changes: tuple[ResourceChange, ...]
    access: tuple[AccessChange, ...]
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...]
    messages: tuple[Message, ...]

    @property
    def refused_by(self) -> int:
        """How many mandatory findings stop the deployment."""
        return sum(finding.level == MANDATORY for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether the engine came to its end and nothing stops a deployment."""
        return self.result == "succeeded" and not self.refused_by

    def as_data(self) -> dict[str, Any]:
        """The preview as plain data for JSON."""
        return {
            "stack": self.stack,
            "passed": self.passed,
            "result": self.result or "unfinished",
            "changes": [asdict(change) for change in self.changes],
            "access": [asdict(change) for change in self.access],
            "findings": [asdict(finding) for finding in self.findings],
            "notChecked": list(self.not_checked),
            "messages": [asdict(message) for message in self.messages],
        }


def preview_of(log: Log, stack: str, stored: frozenset[str]) -> Preview:
    """What the log of a preview tells, redacted.

    `stored` are the texts that are secret in the stack's state. Names and rights come from values
    that the engine does not mark, so only what has a secret's shape is taken out of them: a stored
    user name would otherwise hide every path that it is a part of.
    """
    shapes, clean = Redactor(), Redactor.of(log, stored)
    gained = rights(log.steps)
    findings = [_finding(v, clean) for v in log.violations if not _could_not_run(v)]
    notes = (*_not_previewed(log), *gained.left_out, *_not_judged(log.violations))
    messages = [message for message in log.messages if message.text != _ENGINE_ENDS]
    stuck = _stuck(log)
    if messages and (stuck or brings_secrets(log.steps)):
        about = f" (about {', '.join(stuck)})" if stuck else ""
        notes += (f"messages{about} are left out: {_MAY_HOLD}",)
        messages = []
    return Preview(
        stack=stack,
        result=log.result,
        changes=tuple(_cleaned(change, shapes) for change in resource_changes(log.steps)),
        access=tuple(
            AccessChange(effect=change.effect, sentence=shapes(str(change)))
            for change in gained.changes
        ),
        findings=tuple(sorted(findings, key=_weight)),
        not_checked=tuple(map(clean, notes)),
        messages=tuple(
            replace(message, text=clean(message.text), urn=shapes(message.urn))
            for message in messages
        ),
    )


def _cleaned(change: ResourceChange, clean: Redactor) -> ResourceChange:
    return replace(
        change,
        name=clean(change.name),
        urn=clean(change.urn),
        properties=tuple(map(clean, change.properties)),
    )


def _finding(violation: Violation, clean: Redactor) -> Finding:
    # The engine writes the policy's description on a line before what was found.
    _, _, found = violation.text.partition("\n")
    return Finding(
        policy=violation.policy,
        level=violation.level,
        severity=violation.severity,
        resource=clean(name_of(violation.urn)),
        text=clean(" ".join((found or violation.text).split())),
    )


def _weight(finding: Finding) -> tuple[bool, int]:
    known = finding.severity in _SEVERITIES
    rank = _SEVERITIES.index(finding.severity) if known else len(_SEVERITIES)
    return finding.level != MANDATORY, rank


def _stuck(log: Log) -> list[str]:
    """The resources that a message is about and that no step shows: nobody knows their inputs."""
    planned = {step.urn for step in log.steps}
    urns = {message.urn for message in log.messages if message.urn and message.urn not in planned}
    return sorted(name_of(urn) for urn in urns)


def _could_not_run(violation: Violation) -> bool:
    return violation.text.startswith(_CANNOT_RUN)


def _not_previewed(log: Log) -> Iterator[str]:
    if not log.result:
        yield "the engine ended early: nothing is known beyond what is listed"
    elif log.result != "succeeded":
        yield "the preview failed: what comes after the failure, deletes above all, may be missing"
    if log.unread:
        yield f"{log.unread} lines of the engine could not be read"


def _not_judged(violations: tuple[Violation, ...]) -> Iterator[str]:
    """What policies could not judge, each place once with the policies that it concerns."""
    places: dict[str, list[str]] = defaultdict(list)
    for violation in filter(_could_not_run, violations):
        _, _, listed = violation.text.partition(_NOT_CHECKED)
        for place in listed.split("; ") if listed else [name_of(violation.urn)]:
            places[place].append(violation.policy)
    for place, policies in places.items():
        yield f"{place} (not judged by {', '.join(policies)})"
