"""The audit as one HTML page: what happened, plotted, and every finding with its evidence.

Owns the page and no counts. Whatever a log says may come from an attacker, so all of it is escaped;
the page loads nothing, and its content security policy allows no script or style but its own. It
reads without scripts; they add filtering and sorting.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from audit import svg
from audit.detections import ALL
from audit.findings import Finding, Severity
from audit.overview import Overview

_TEMPLATE = Path(__file__).with_name("page.html")
MOST = 1000  # findings on a page; a browser is slow with more, and nobody reads them


def page(seen: Overview, findings: Sequence[Finding], *, title: str, problems: int = 0) -> str:
    """The page as HTML. `title` says which logs; `problems` is the number of unreadable lines."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    return Template(text).substitute(
        style_hash=_hash("style", text),
        script_hash=_hash("script", text),
        title=escape(title),
        period=_period(seen),
        facts="".join(_fact(name, value) for name, value in _facts(seen, problems)),
        severities="".join(_severity(each, findings) for each in Severity),
        plots=_plots(seen, findings) if seen.hours else "<p>No calls.</p>",
        choices="".join(f'<option value="{each}">{each}</option>' for each in Severity),
        kinds="".join(f'<option value="{each.id}">{each.id}</option>' for each in ALL),
        rows="".join(map(_row, findings[:MOST])) or _NOTHING,
        left_out=_left_out(len(findings)),
        detections="".join(_detection(each.id, findings) for each in ALL),
    )


_NOTHING = '<tr><td colspan="6">Nothing was found.</td></tr>'


def _period(seen: Overview) -> str:
    if not seen.hours:
        return "an empty log"
    return f"{_time(seen.hours[0].start)} to {_time(seen.hours[-1].start)} UTC"


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


def _severity(severity: Severity, findings: Sequence[Finding]) -> str:
    count = sum(finding.severity is severity for finding in findings)
    return f'<li class="{severity}"><b>{count}</b> {severity}</li>'


def _plots(seen: Overview, findings: Sequence[Finding]) -> str:
    plots = (
        ("Calls, refusals and findings", svg.over_time(seen.hours, findings[:MOST])),
        ("Busiest subjects", svg.by_subject(seen.busiest)),
        ("Hours of the week, UTC", svg.week(seen.hours)),
    )
    return "".join(
        f"<figure><figcaption>{caption}</figcaption>{plot}</figure>" for caption, plot in plots
    )


def _row(finding: Finding) -> str:
    subject = finding.subject or "nobody known"
    places = "".join(
        f"<li><code>{escape(each.file)}{f':{each.line}' if each.line else ''}</code> "
        f"{_time(each.time)}</li>"
        for each in finding.evidence
    )
    more = finding.count - len(finding.evidence)
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    told = finding.path is None or finding.path in finding.reason
    path = "" if told else f" <code>{escape(finding.path or '')}</code>"
    order = list(Severity).index(finding.severity)
    return (
        f'<tr id="{finding.id}" data-severity="{finding.severity}" '
        f'data-kind="{finding.detection}">'
        f'<td data-order="{order}"><span class="badge {finding.severity}">{finding.severity}</span>'
        f'</td><td data-order="{finding.score}" class="n">{finding.score:.2f}</td>'
        f'<td data-order="{finding.start.timestamp():.6f}"><time>{_time(finding.start)}</time></td>'
        f"<td>{escape(subject)}<small>{escape(finding.address or '')}</small></td>"
        f"<td>{finding.detection}</td>"
        f"<td>{escape(finding.reason)}.{path}<details><summary>{finding.count:,} "
        f"{'line' if finding.count == 1 else 'lines'}</summary><ul>{places}{rest}</ul></details>"
        f"<small>{finding.id}</small></td></tr>"
    )


def _left_out(count: int) -> str:
    if count <= MOST:
        return ""
    return f"<p>{count - MOST:,} findings of less weight are left out; --json gives all.</p>"


def _detection(name: str, findings: Sequence[Finding]) -> str:
    counts = Counter(finding.detection for finding in findings)
    detection = next(each for each in ALL if each.id == name)
    return (
        f'<tr><th scope="row">{name}</th><td class="n">{counts[name]}</td>'
        f'<td><span class="badge {detection.severity}">{detection.severity}</span></td>'
        f"<td>{escape(detection.about)}</td><td>{escape(detection.warm_up)}</td></tr>"
    )


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _hash(tag: str, text: str) -> str:
    """What the content security policy calls the page's own block of that kind."""
    content = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0].replace("$$", "$")
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
