"""Carries rotations out: begins those that are due, goes on with those that were left.

Owns the order: an event is written, then the record, and a step is done before both. Killed
anywhere, the next pass does the step again, which changes nothing that was done. Who works on a
rotation holds its lease; records are replaced by check-and-set, so of two runners one gives way.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rotation import events, holder
from rotation.errors import RotationError
from rotation.events import Event, EventLog, Happened, Signer
from rotation.record import Conflict, DamagedError, Failure, Record, Records
from rotation.steps import Facts, Pending, Rotation, Run, Step
from vaultops.errors import VaultOpsError, WaitedTooLongError
from vaultops.wait import wait_for

LEASE_SECONDS = 900.0  # longer than any single act takes


class Result(StrEnum):
    """What a pass did about one rotation."""

    FINE = "fine"
    FINISHED = "finished"
    WAITS = "waits"
    HELD = "held"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`detail` says why it waits, is held back or failed; `step` is where it stands."""

    rotation: str
    result: Result
    step: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One process that rotates. `patience` is how many seconds it waits for each step itself."""

    records: Records
    log: EventLog
    signer: Signer
    now: Callable[[], float]
    patience: float = 0
    tell: Callable[[str], None] = lambda _: None

    def go(
        self, rotations: Sequence[Rotation], *, only: frozenset[str] = frozenset(), early: bool
    ) -> list[Outcome]:
        """One pass over `rotations`, or over those named by `only`.

        `early` begins these even when they are not due. One that fails stops none of the others.
        """
        done = []
        for rotation in rotations:
            if only and rotation.name not in only:
                continue
            try:
                outcome = self._one(rotation, rotations, early=early)
            except DamagedError as error:
                outcome = Outcome(rotation=rotation.name, result=Result.FAILED, detail=str(error))
            self.tell(f"{outcome.rotation}: {outcome.result} {outcome.detail}".rstrip())
            done.append(outcome)
        return done

    def _one(self, rotation: Rotation, others: Sequence[Rotation], *, early: bool) -> Outcome:
        record, version = self.records.load(rotation.name)
        now = self.now()
        if record is None or not record.is_open:
            last = record.started if record else None
            if not early and not rotation.timetable.is_due(now, last):
                return Outcome(rotation=rotation.name, result=Result.FINE)
            if held := self._held(rotation, others, now, early=early):
                return Outcome(rotation=rotation.name, result=Result.HELD, detail=held)
        elif record.is_held(now):
            detail = f"{record.holder} works on it until {events.at(record.until)}"
            return Outcome(
                rotation=rotation.name, result=Result.HELD, step=record.step, detail=detail
            )
        try:
            return self._advance(rotation, record, version)
        except Conflict:
            return Outcome(
                rotation=rotation.name, result=Result.HELD, detail="another runner was faster"
            )

    def _held(
        self, rotation: Rotation, others: Sequence[Rotation], now: float, *, early: bool
    ) -> str:
        """Why it must not begin now: rotations never fall together, whatever the clock says."""
        for other in others:
            paired = rotation.pair is not None and rotation.pair == other.pair
            if other.name == rotation.name or not (paired or other.kind == rotation.kind):
                continue
            try:
                record, _ = self.records.load(other.name)
            except DamagedError:
                if paired:
                    return f"nobody knows how far its pair {other.name} is: its record is damaged"
                continue
            if record is None:
                continue
            if paired and record.is_open:
                return f"its pair {other.name} is in step {record.step}"
            if not early and abs(now - record.started) < rotation.timetable.window:
                return f"{other.name} began at {events.at(record.started)}, less than a window ago"
        return ""

    def _advance(self, rotation: Rotation, record: Record | None, version: int) -> Outcome:
        now = self.now()
        if record is None or not record.is_open:
            record = Record(
                rotation=rotation.name,
                kind=rotation.kind,
                run=str(uuid.uuid4()),
                started=now,
                step=rotation.steps[0].name,
                since=now,
            )
            self._event(rotation, record, Happened.BEGAN)
        left = record  # as the last runner left it: what is told again is no news
        record, version = self._save(self._leased(record), version)
        step = rotation.step(record.step)
        if step is None:
            return self._failed(rotation, record, version, _unknown_step(rotation, record))
        while step is not None:
            try:
                found = self._settled(step, record)
            except (VaultOpsError, RotationError) as error:
                return self._failed(rotation, record, version, error)
            if isinstance(found, Pending):
                if found.why != left.waiting:
                    self._event(rotation, record, Happened.WAITS, why=found.why)
                self._save(record.released(waiting=found.why), version)
                return Outcome(
                    rotation=rotation.name, result=Result.WAITS, step=step.name, detail=found.why
                )
            self._event(rotation, record, Happened.STEP_DONE, facts=found)
            self.tell(f"{rotation.name}: {step.name} is done")
            facts = {**record.facts, **found}
            following = rotation.after(step.name)
            if following is None:
                self._event(rotation, record, Happened.FINISHED)
                self._save(replace(record.released(), facts=facts, finished=self.now()), version)
                break
            record, version = self._save(
                replace(self._leased(record), step=following.name, since=self.now(), facts=facts),
                version,
            )
            step = following
        return Outcome(rotation=rotation.name, result=Result.FINISHED)

    def _settled(self, step: Step, record: Record) -> Facts | Pending:
        """The step's outcome, after waiting for it as long as this runner's patience lasts."""
        found: Facts | Pending = Pending("")

        def probe() -> str | None:
            nonlocal found
            found = step.act(
                Run(
                    id=record.run,
                    since=record.since,
                    now=self.now(),
                    facts=record.facts,
                )
            )
            return found.why if isinstance(found, Pending) else None

        try:
            wait_for(
                probe,
                what=f"step {step.name} of {record.rotation}",
                where=record.rotation,
                seconds=self.patience,
                fix=step.remedy,
                on_change=self.tell,
            )
        except WaitedTooLongError:
            if not isinstance(found, Pending):  # the step itself waited, and in vain
                raise
        return found

    def _failed(
        self,
        rotation: Rotation,
        record: Record,
        version: int,
        error: VaultOpsError | RotationError,
    ) -> Outcome:
        failure = Failure(
            what=error.what, where=error.where, why=error.why, fix=error.fix, at=self.now()
        )
        self._event(rotation, record, Happened.FAILED, why=f"{error.what}: {error.why}")
        self._save(record.released(failure=failure), version)
        return Outcome(
            rotation=rotation.name, result=Result.FAILED, step=record.step, detail=str(error)
        )

    def _leased(self, record: Record) -> Record:
        until = self.now() + LEASE_SECONDS + self.patience
        return replace(record, holder=holder.myself(), until=until, waiting="", failure=None)

    def _save(self, record: Record, version: int) -> tuple[Record, int]:
        return record, self.records.save(record, version)

    def _event(
        self,
        rotation: Rotation,
        record: Record,
        happened: Happened,
        *,
        facts: Mapping[str, str] | None = None,
        why: str = "",
    ) -> None:
        events.append(
            self.log,
            self.signer,
            Event(
                time=events.at(self.now()),
                event=happened,
                rotation=rotation.name,
                kind=rotation.kind,
                subject=rotation.subject,
                run=record.run,
                step="" if happened in (Happened.BEGAN, Happened.FINISHED) else record.step,
                facts=facts or {},
                why=why,
                by=holder.myself(),
            ),
        )


def _unknown_step(rotation: Rotation, record: Record) -> VaultOpsError:
    return VaultOpsError(
        f"the rotation stands in step {record.step!r}, which is none of its steps",
        where=f"the record of {rotation.name}",
        why=f"it began as {record.kind}, with other settings or another version of the program",
        fix="finish it with what began it, or see docs/runbooks/rotation.md, "
        "'A rotation must be given up'",
    )
