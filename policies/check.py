"""Judges files by the rules of the pack, without the engine: in a pull request, on an export.

Owns the report. Reading is `policies.sources`, judging `policies.judge`, printing
`policies.formats`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from policies.judge import Outcome, Status, outcomes
from policies.rule import Environment, Requirement
from policies.rules import ALL
from policies.sources import Sources, Unread
from policies.waivers import Waivers, load


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was judged and what came of it."""

    environment: Environment
    rules: tuple[Requirement, ...]
    judged: int
    outcomes: tuple[Outcome, ...]
    unread: tuple[Unread, ...]
    waivers: Waivers
    files: dict[str, Path]

    def having(self, status: Status) -> tuple[Outcome, ...]:
        """The outcomes of a status, in the order of the rules."""
        return tuple(outcome for outcome in self.outcomes if outcome.status is status)

    @property
    def stops(self) -> bool:
        """Whether a deployment must not go on: a mandatory finding, or something malformed."""
        return (
            any(outcome.stops for outcome in self.outcomes)
            or any(unread.broken for unread in self.unread)
            or bool(self.waivers.problems)
        )


def check(paths: Iterable[Path], environment: Environment, *, waivers: Path, today: date) -> Report:
    """Judge files and folders. Raises OSError for a path that is not there."""
    sources = Sources()
    for path in paths:
        sources.add(path)
    return judge(sources, environment, load(waivers, (rule.id for rule in ALL), today))


def judge(sources: Sources, environment: Environment, waivers: Waivers) -> Report:
    """Judge what was read."""
    return Report(
        environment=environment,
        rules=ALL,
        judged=len(sources.resources),
        outcomes=tuple(outcomes(ALL, sources.resources, environment, waivers)),
        unread=tuple(sources.unread),
        waivers=waivers,
        files=sources.files,
    )
