"""What every page of the audit shares: its frame, what happened in plots, and cells of tables.

Owns the frame and no counts. Whatever a log says may come from an attacker, so all of it is
escaped; a page loads nothing, and its content security policy allows no script or style but its
own. It reads without scripts; they add filtering and sorting.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from audit import svg
from audit.findings import Finding
from audit.overview import Overview

MOST = 1000  # rows of a table; a browser is slow with more, and nobody reads them
_FRAME = Path(__file__).with_name("page.html")


def frame(
    seen: Overview,
    body: str,
    *,
    title: str,
    problems: int,
    summary: str = "",
    findings: Sequence[Finding] = (),
) -> str:
    """A whole page around `body`. `title` says which logs; `findings` are marked in the plots.

    `body` and `summary` are HTML; `problems` is the number of unreadable lines.
    """
    text = _FRAME.read_text(encoding="utf-8")
    return Template(text).substitute(
        style_hash=_hash("style", text),
        script_hash=_hash("script", text),
        title=escape(title),
        period=_period(seen),
        facts="".join(_fact(name, value) for name, value in _facts(seen, problems)),
        summary=summary,
        plots=_plots(seen, findings) if seen.hours else "<p>No calls.</p>",
        body=body,
    )


def when(moment: datetime) -> str:
    """A time as people read it; its zone, UTC, is said once a page."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def left_out(count: int, what: str) -> str:
    """Says that a table holds the first MOST of `count` rows alone."""
    if count <= MOST:
        return ""
    return f"<p>{count - MOST:,} {what} are left out; --json gives all.</p>"


def _period(seen: Overview) -> str:
    if not seen.hours:
        return "an empty log"
    return f"{when(seen.hours[0].start)} to {when(seen.hours[-1].start)} UTC"


def _facts(seen: Overview, problems: int) -> list[tuple[str, int]]:
    return [
        ("calls", seen.calls),
        ("refused", seen.denied),
        ("subjects", seen.subjects),
        ("paths", seen.paths),
        ("addresses", seen.addresses),
        ("unreadable lines", problems),
    ]


def _fact(name: str, value: int) -> str:
    return f"<div><dd>{value:,}</dd><dt>{name}</dt></div>"


def _plots(seen: Overview, findings: Sequence[Finding]) -> str:
    shown = "Calls, refusals and findings" if findings else "Calls and refusals"
    plots = (
        (shown, svg.over_time(seen.hours, findings)),
        ("Busiest subjects", svg.by_subject(seen.busiest)),
        ("Hours of the week, UTC", svg.week(seen.hours)),
    )
    return "".join(
        f"<figure><figcaption>{caption}</figcaption>{plot}</figure>" for caption, plot in plots
    )


def _hash(tag: str, text: str) -> str:
    """What the content security policy calls the page's own block of that kind."""
    content = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0].replace("$$", "$")
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
