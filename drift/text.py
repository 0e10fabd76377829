"""A drift for people: one line a difference with what differs below it, and a count at the end."""

from __future__ import annotations

from collections.abc import Iterator

from drift.model import Drift, State

_HEADINGS = {
    State.CHANGED: "CHANGED: not as the program left it",
    State.MISSING: "MISSING: the program made it, and it is gone",
    State.UNMANAGED: "UNMANAGED: made beside the program",
}


def drift_text(drift: Drift) -> str:
    """The drift as lines."""
    return "\n".join(_lines(drift))


def _lines(drift: Drift) -> Iterator[str]:
    for state in State:
        if found := drift.having(state):
            yield _HEADINGS[state]
            for difference in found:
                yield f"  {difference.kind} {difference.name}"
                yield from (f"      {detail}" for detail in difference.details)
    for unread in drift.unread:
        yield f"NOT COMPARED: {unread.kind} {unread.below or '(all)'}: {unread.why}"
    counted = len(drift.differences)
    none = "No difference in what could be compared" if drift.unread else "No drift"
    told = f"{counted} difference{'' if counted == 1 else 's'}" if counted else none
    yield f"{told}; {drift.compared} things of the program compared"
