"""What a rotation is made of: named steps, each harmless when it is done again.

Owns the seam between the runner and the drivers. A driver observes the world before it acts,
because the runner may have been killed after an act and before it was noted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rotation.schedule import Timetable

Facts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a step knows: the run's id, when this step began, and the steps' facts so far.

    Times are seconds since the epoch. Facts are names, ids and times, never a value: they are kept
    in the record and shown.
    """

    id: str
    since: float
    now: float
    facts: Facts


@dataclass(frozen=True)
class Pending:
    """The step is not over: `why` says what it still waits for."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. `act` gives the facts it adds, or Pending; it raises an error with the way out.

    `remedy` is what a person does when the step does not end.
    """

    name: str
    act: Callable[[Run], Facts | Pending]
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One credential, when it is rotated, and how.

    Rotations with the same `pair` serve the same application: one waits until the other's is over.
    `stuck_after` is in seconds, for each step.
    """

    name: str
    kind: str
    subject: str
    timetable: Timetable
    steps: tuple[Step, ...]
    stuck_after: float
    pair: str | None = None
    consumers: tuple[str, ...] = ()

    def after(self, done: str) -> Step | None:
        """The step that follows `done`; None at the end."""
        names = [step.name for step in self.steps]
        at = names.index(done) + 1
        return self.steps[at] if at < len(names) else None

    def step(self, name: str) -> Step | None:
        """The step of that name; None when a newer version of the program has no such step."""
        return next((step for step in self.steps if step.name == name), None)
