"""How a time grows with the number of things, and how it compares. Arithmetic and Markdown only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

Row = Sequence[str]


def marginal(seconds: Mapping[int, float]) -> list[float]:
    """Milliseconds for each further thing, from every size to the next one.

    What a run costs whatever the size (starting programs, reading schemas) is not in it.
    """
    return [
        1000 * (seconds[more] - seconds[fewer]) / (more - fewer)
        for fewer, more in pairwise(sorted(seconds))
    ]


def bend(seconds: Mapping[int, float]) -> float | None:
    """The last marginal time by the first one: 1 is linear growth, more is worse than linear.

    None with fewer than three sizes, or where noise hides the growth.
    """
    steps = marginal(seconds)
    return steps[-1] / steps[0] if len(steps) > 1 and min(steps) > 0 else None


def cell(seconds: float | None, reference: float | None) -> str:
    """A time and how many times the reference it is; a dash for what was not measured."""
    if seconds is None:
        return "–"
    ratio = f" (×{seconds / reference:.2f})" if reference else ""
    return f"{seconds:.2f} s{ratio}"


def markdown(heading: Row, rows: Sequence[Row]) -> str:
    """A table of text."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
