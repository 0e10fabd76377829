"""What a compliance report is made of: controls, the proofs of each, and what came of them.

Owns the vocabulary, and how the worst proof decides a control. Knows no rule and no Vault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What came of a proof, the worst first. A control is as its worst proof is."""

    FAILED = "failed"
    NOT_CHECKED = "not checked"
    WAIVED = "waived"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one proof found. `proof` is a rule or a live check; it never holds a secret value.

    `where` are the URNs, paths in Vault, objects of the cluster or log lines that it was seen in.
    """

    proof: str
    state: State
    said: str
    where: tuple[str, ...] = ()
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Side:
    """A control at preview, or live."""

    state: State
    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, evidence: Iterable[Evidence]) -> Side:
        """The side that these proofs make; there is at least one."""
        ordered = tuple(sorted(evidence, key=lambda e: list(State).index(e.state)))
        return cls(state=ordered[0].state, evidence=ordered)


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control, in the project's own words, and what proves it.

    `why` says why nothing here can prove it; then it has neither rules nor checks.
    """

    id: str
    title: str
    rules: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Framework:
    """A document with controls. `edition` says whose numbering, `scope` what is left out."""

    id: str
    name: str
    edition: str
    scope: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A control and how it stands on both sides."""

    control: Control
    preview: Side
    live: Side

    @property
    def state(self) -> State:
        """The worse of both sides."""
        return min((self.preview.state, self.live.state), key=list(State).index)


@dataclass(frozen=True, kw_only=True)
class Waived:
    """A waiver as the report shows it. `standing`: whether it holds, lapsed or is not needed."""

    rule: str
    urn: str
    owner: str
    expires: str
    reason: str
    standing: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """Every framework's results, for one stack at one time (UTC)."""

    title: str
    environment: str
    made: datetime
    results: tuple[tuple[Framework, tuple[Result, ...]], ...]
    waivers: tuple[Waived, ...]
    problems: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Result, ...]:
        """The results of every framework."""
        return tuple(result for _, results in self.results for result in results)

    @property
    def failed(self) -> bool:
        """Whether a control failed, or the waivers cannot be trusted."""
        return bool(self.problems) or any(r.state is State.FAILED for r in self.all)

    def as_data(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        return {
            "title": self.title,
            "environment": self.environment,
            "made": self.made.isoformat(),
            "failed": self.failed,
            "counts": counts(self.all),
            "frameworks": [
                {
                    "id": framework.id,
                    "name": framework.name,
                    "edition": framework.edition,
                    "scope": framework.scope,
                    "counts": counts(results),
                    "controls": [_control(result) for result in results],
                }
                for framework, results in self.results
            ],
            "waivers": [vars(waiver) for waiver in self.waivers],
            "waiverProblems": list(self.problems),
        }


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many controls are in each state, every state named."""
    states = [result.state for result in results]
    return {state.value: states.count(state) for state in State}


def _control(result: Result) -> dict[str, Any]:
    return {
        "id": result.control.id,
        "title": result.control.title,
        "state": result.state,
        **{
            name: {"state": side.state, "evidence": [vars(e) for e in side.evidence]}
            for name, side in (("preview", result.preview), ("live", result.live))
        },
    }
