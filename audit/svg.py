"""The plots of the audit page, as SVG text: bars over time, bars of subjects, a week's hours.

Owns drawing and no counts. Every mark says its value when pointed at; colours come from the page,
so that they follow light and dark. No style attributes: the page's security policy forbids them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from math import ceil

from audit.findings import Finding
from audit.overview import Busy, Hour

WIDTH = 1000
NARROW = 620  # of plots that stand side by side
_LEFT = 56
_BARS = 168
_STEPS = (1, 2, 3, 6, 12, 24, 48, 168)  # hours
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The calls from `start` on, for the width of one bar."""

    start: datetime
    calls: int
    denied: int


def buckets(hours: Sequence[Hour]) -> tuple[tuple[Bar, ...], timedelta]:
    """The hours as at most some 170 bars of equal width, and that width."""
    first, last = hours[0].start, hours[-1].start
    long = int((last - first).total_seconds() // 3600) + 1
    step = next((s for s in _STEPS if long <= s * _BARS), ceil(long / _BARS))
    first -= timedelta(hours=first.hour % min(step, 24))
    bars = [[0, 0] for _ in range(int((last - first).total_seconds() // 3600) // step + 1)]
    for hour in hours:
        bar = bars[int((hour.start - first).total_seconds() // 3600) // step]
        bar[0] += hour.calls
        bar[1] += hour.denied
    width = timedelta(hours=step)
    return tuple(
        Bar(start=first + number * width, calls=calls, denied=denied)
        for number, (calls, denied) in enumerate(bars)
    ), width


def over_time(hours: Sequence[Hour], findings: Sequence[Finding]) -> str:
    """Calls over time, refusals below on their own scale, and a mark for each finding."""
    bars, width = buckets(hours)
    each = (WIDTH - _LEFT) / len(bars)
    parts = [
        _columns(bars, [bar.calls for bar in bars], 10, 170, "calls", each),
        _columns(bars, [bar.denied for bar in bars], 200, 70, "refused", each),
    ]
    span = len(bars) * width
    for finding in findings:
        along = (finding.start - bars[0].start) / span
        x = _LEFT + max(0.0, min(1.0, along)) * (WIDTH - _LEFT)
        parts.append(
            f'<a href="#{finding.id}"><circle class="{finding.severity}" cx="{x:.1f}" cy="292" '
            f'r="5"><title>{escape(finding.reason)}</title></circle></a>'
        )
    parts.append(_days(bars, each))
    if findings:
        parts.append('<text x="0" y="296">found</text>')
    shown = "calls, refusals and findings" if findings else "calls and refusals"
    return _svg(330, f"{shown} over time, in steps of {_in_words(width)}", parts)


def by_subject(busiest: Sequence[Busy]) -> str:
    """One bar for each subject, its refusals at the end."""
    most = max(busy.calls for busy in busiest)
    parts = []
    for number, busy in enumerate(busiest):
        y = number * 26
        who = busy.subject or "nobody known"
        name = escape(who)
        wide = busy.calls / most * (NARROW - 270)
        red = busy.denied / most * (NARROW - 270)
        parts.append(
            f"<g><title>{name}: {busy.calls:,} calls, {busy.denied:,} refused</title>"
            f'<text x="200" y="{y + 16}" text-anchor="end">{escape(_short(who))}</text>'
            f'<rect class="calls" x="208" y="{y + 3}" width="{wide:.1f}" height="18" rx="2"/>'
            f'<rect class="refused" x="{208 + wide - red:.1f}" y="{y + 3}" width="{red:.1f}" '
            f'height="18" rx="2"/><text x="{214 + wide:.1f}" y="{y + 16}">{busy.calls:,}</text></g>'
        )
    return _svg(len(busiest) * 26 + 4, "calls of the busiest subjects", parts, NARROW)


def week(hours: Sequence[Hour]) -> str:
    """When calls are made: a field for each hour of the week, UTC."""
    calls = [[0] * 24 for _ in range(7)]
    for hour in hours:
        calls[hour.start.weekday()][hour.start.hour] += hour.calls
    least, most = min(map(min, calls)), max(map(max, calls))
    wide = (NARROW - 84) / 24
    parts = [
        f'<text x="{84 + wide * (of_day + 0.5):.1f}" y="12" text-anchor="middle">{of_day}</text>'
        for of_day in range(0, 24, 3)
    ]
    for number, day in enumerate(calls):
        y = 20 + number * 35
        parts.append(f'<text x="76" y="{y + 21}" text-anchor="end">{_DAYS[number]}</text>')
        parts += [
            f'<rect class="heat" x="{84 + wide * of_day:.1f}" y="{y}" width="{wide - 2:.1f}" '
            f'height="33" rx="3" fill-opacity="{_shade(count, least, most):.2f}"><title>'
            f"{_DAYS[number]} {of_day}:00: {count:,} calls</title></rect>"
            for of_day, count in enumerate(day)
        ]
    return _svg(268, "calls by the hour of the week, UTC", parts, NARROW)


def _columns(
    bars: Sequence[Bar], values: Sequence[int], top: int, high: int, name: str, each: float
) -> str:
    most = max(values) or 1
    parts = [
        f'<line x1="{_LEFT}" x2="{WIDTH}" y1="{top + high}" y2="{top + high}"/>',
        f'<line class="faint" x1="{_LEFT}" x2="{WIDTH}" y1="{top}" y2="{top}"/>',
        f'<text x="{_LEFT - 8}" y="{top + 8}" text-anchor="end">{_thousands(most)}</text>',
        f'<text x="0" y="{top + high - 2}">{name}</text>',
    ]
    for number, (bar, value) in enumerate(zip(bars, values, strict=True)):
        tall = value / most * high
        parts.append(
            f'<rect class="{name}" x="{_LEFT + number * each:.1f}" y="{top + high - tall:.1f}" '
            f'width="{max(each - 1, 0.8):.1f}" height="{tall:.1f}"><title>'
            f"{bar.start:%a %Y-%m-%d %H:%M}: {value:,} {name}</title></rect>"
        )
    return "".join(parts)


def _days(bars: Sequence[Bar], each: float) -> str:
    every = max(1, len(bars) // 8)
    return "".join(
        f'<text x="{_LEFT + number * each:.1f}" y="322">{bar.start:%d %b}</text>'
        for number, bar in enumerate(bars)
        if number % every == 0 and number * each < WIDTH - _LEFT - 50
    )


def _shade(count: int, least: int, most: int) -> float:
    return 0.08 + 0.92 * (count - least) / max(most - least, 1)


def _svg(high: int, label: str, parts: Sequence[str], width: int = WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {width} {high}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:14]}…{name[-14:]}"


def _thousands(value: int) -> str:
    return f"{value / 1000:.0f}k" if value >= 10_000 else f"{value:,}"


def _in_words(width: timedelta) -> str:
    hours = int(width.total_seconds() // 3600)
    return "an hour" if hours == 1 else f"{hours} hours"
