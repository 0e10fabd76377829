"""Tables of rotations for people, and the plan for programs. Owns their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from cli.reporting import console, tell
from rotation import events
from rotation.runner import Outcome, Result
from rotation.schedule import DAY
from rotation.standing import Standing, State
from rotation.steps import Rotation


def show_plan(found: Sequence[tuple[Rotation, Standing]]) -> None:
    """One line a rotation, in the order given."""
    table = Table("due (UTC)", "rotation", "kind", "every", "last", "state", "steps", "consumers")
    for rotation, standing in found:
        table.add_row(
            when(standing.due),
            rotation.name,
            rotation.kind,
            f"{rotation.timetable.every // DAY} days",
            when(standing.last),
            standing.state,
            ", ".join(step.name for step in rotation.steps),
            "\n".join(rotation.consumers),
        )
    console().print(table)


def plan_data(rotation: Rotation, standing: Standing) -> dict[str, Any]:
    """A rotation's plan, for programs."""
    return {
        "rotation": rotation.name,
        "kind": rotation.kind,
        "subject": rotation.subject,
        "every_days": rotation.timetable.every // DAY,
        "window_seconds": rotation.timetable.window,
        "due": events.at(standing.due),
        "last": events.at(standing.last) if standing.last else None,
        "state": standing.state,
        "pair": rotation.pair,
        "steps": [step.name for step in rotation.steps],
        "consumers": list(rotation.consumers),
    }


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """One line for each rotation that something was done about."""
    table = Table("rotation", "result", "step", "detail")
    for one in outcomes:
        if one.result is not Result.FINE:
            table.add_row(one.rotation, one.result, one.step, one.detail)
    if table.row_count:
        console().print(table)
    else:
        tell("nothing is due")


def show_standings(found: Sequence[Standing]) -> None:
    """One line a rotation."""
    table = Table("rotation", "state", "due (UTC)", "last", "step", "since", "reason", "remedy")
    for one in found:
        table.add_row(
            one.rotation,
            one.state,
            when(one.due),
            when(one.last),
            one.step,
            f"{one.age / 3600:.1f} h" if one.step else "",
            one.reason,
            one.remedy if one.state in (State.STUCK, State.FAILED) else "",
        )
    console().print(table)


def when(seconds: float | None) -> str:
    """To the minute, in UTC."""
    return events.at(seconds)[:16].replace("T", " ") if seconds else "never"
