"""The report for people: what stops first, what was not checked as loudly, a count at the end."""

from __future__ import annotations

from collections.abc import Iterator

from policies.check import Report
from policies.judge import Status


def render(report: Report) -> str:
    """The report as lines."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    broken = report.having(Status.BROKEN)
    for outcome in (*(o for o in broken if o.stops), *(o for o in broken if not o.stops)):
        yield f"{outcome.level.upper()}: {outcome}"
    for outcome in report.having(Status.NOT_CHECKED):
        yield f"NOT CHECKED: {outcome}"
    for unread in report.unread:
        yield f"NOT CHECKED: {unread.place} {unread.reason}."
    for outcome in report.having(Status.WAIVED):
        yield f"WAIVED: {outcome}"
    for problem in report.waivers.problems:
        yield f"WAIVERS: {problem}. It excuses nothing."
    for waiver in report.waivers.unused:
        yield f"WAIVERS: {waiver} excuses nothing here."
    stopping = sum(outcome.stops for outcome in broken)
    yield (
        f"{report.judged} resources, {len(report.rules)} rules, {report.environment}: "
        f"{stopping} mandatory, {len(broken) - stopping} advisory, "
        f"{len(report.having(Status.WAIVED))} waived, "
        f"{len(report.having(Status.NOT_CHECKED)) + len(report.unread)} not checked"
    )
