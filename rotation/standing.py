"""Where each rotation stands, and what to do about those that do not get on.

Owns the verdicts of `strongroom rotate status`. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rotation.record import DamagedError, Records
from rotation.steps import Rotation


class State(StrEnum):
    """From the best to the worst."""

    FINE = "fine"
    RUNS = "runs"
    WAITS = "waits"
    DUE = "due"
    LATE = "late"
    STUCK = "stuck"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Times are seconds since the epoch, `age` is how many seconds the step has lasted.

    `due` is the next due time, or the one that has passed. `reason` and `remedy` are for an open
    run; `finished_run` is the last whole one.
    """

    rotation: str
    kind: str
    subject: str
    state: State
    due: float
    last: float | None = None
    step: str = ""
    age: float = 0
    reason: str = ""
    remedy: str = ""
    finished_run: str | None = None


def standings(rotations: Sequence[Rotation], records: Records, now: float) -> list[Standing]:
    """One for each rotation, in their order. Raises VaultOpsError."""
    return [_standing(rotation, records, now) for rotation in rotations]


def _standing(rotation: Rotation, records: Records, now: float) -> Standing:
    times = rotation.timetable
    try:
        record, _ = records.load(rotation.name)
    except DamagedError as error:
        return Standing(
            rotation=rotation.name,
            kind=rotation.kind,
            subject=rotation.subject,
            state=State.FAILED,
            due=times.latest(now),
            reason=f"{error.what}: {error.why}",
            remedy=error.fix,
        )
    if record is None or not record.is_open:
        last = record.started if record else None
        due = times.is_due(now, last)
        late = times.is_late(now, last)
        return Standing(
            rotation=rotation.name,
            kind=rotation.kind,
            subject=rotation.subject,
            state=State.LATE if late else State.DUE if due else State.FINE,
            due=times.latest(now) if due else times.following(now),
            last=last,
            finished_run=record.run if record else None,
        )
    age = now - record.since
    step = rotation.step(record.step)
    reason, remedy = record.waiting, step.remedy if step else ""
    if record.failure:
        state, reason = State.FAILED, f"{record.failure.what}: {record.failure.why}"
        remedy = record.failure.fix
    elif age > rotation.stuck_after:
        state = State.STUCK
        reason = reason or "no runner has gone on with it"
    elif record.is_held(now):
        state, reason = State.RUNS, f"{record.holder} works on it"
    else:
        state = State.WAITS
    return Standing(
        rotation=rotation.name,
        kind=rotation.kind,
        subject=rotation.subject,
        state=state,
        due=times.latest(now),
        step=record.step,
        age=age,
        reason=reason,
        remedy=remedy,
    )
