"""A report for people at a terminal: each control with what speaks against it, then the counts."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.model import Report, Result, Side, State, counts

_SHOWN = 3


def report_text(report: Report) -> str:
    """The report as lines."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.title} ({report.environment}), {report.made:%Y-%m-%d %H:%M} UTC"
    for framework, results in report.results:
        yield ""
        yield f"{framework.name}, {framework.edition}"
        for result in results:
            yield f"  {result.state.upper():<15}{result.control.id:<9}{result.control.title}"
            yield from _reasons(result)
    yield ""
    for problem in report.problems:
        yield f"WAIVERS: {problem}. It excuses nothing."
    for waived in report.waivers:
        yield (
            f"WAIVER ({waived.standing}): {waived.rule} for {waived.urn}, {waived.owner}, until "
            f"{waived.expires}: {waived.reason}"
        )
    for framework, results in report.results:
        yield f"{framework.name}: {_counted(results)}"


def _reasons(result: Result) -> Iterator[str]:
    if result.control.why:
        yield f"      {result.control.why}"
        return
    for name, side in (("preview", result.preview), ("live", result.live)):
        if side.state in (State.FAILED, State.NOT_CHECKED, State.WAIVED):
            yield from _evidence(name, side)


def _evidence(name: str, side: Side) -> Iterator[str]:
    telling = [e for e in side.evidence if e.state is side.state]
    for evidence in telling[:_SHOWN]:
        fix = f". Fix: {evidence.fix}" if evidence.fix else ""
        yield f"      {name}: {side.state}: {evidence.said}{fix} ({evidence.proof})"
    if len(telling) > _SHOWN:
        yield f"      {name}: and {len(telling) - _SHOWN} more; --json and --html have them all"


def _counted(results: tuple[Result, ...]) -> str:
    return ", ".join(f"{number} {state}" for state, number in counts(results).items() if number)
