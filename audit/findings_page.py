"""The page of `audit anomalies`: every finding with its evidence, and what was looked for.

Owns its tables; the frame around them and how text becomes HTML safely is `audit.page`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from audit.detections import ALL
from audit.findings import Finding, Severity
from audit.overview import Overview
from audit.page import MOST, frame, left_out, when

_BODY = Path(__file__).with_name("findings_page.html")
_NOTHING = '<tr><td colspan="6">Nothing was found.</td></tr>'


def page(seen: Overview, findings: Sequence[Finding], *, title: str, problems: int = 0) -> str:
    """The page as HTML. `title` says which logs; `problems` is the number of unreadable lines."""
    body = Template(_BODY.read_text(encoding="utf-8")).substitute(
        choices="".join(f'<option value="{each}">{each}</option>' for each in Severity),
        kinds="".join(f'<option value="{each.id}">{each.id}</option>' for each in ALL),
        rows="".join(map(_row, findings[:MOST])) or _NOTHING,
        left_out=left_out(len(findings), "findings of less weight"),
        detections="".join(_detection(each.id, findings) for each in ALL),
    )
    counts = "".join(_severity(each, findings) for each in Severity)
    summary = f'<ul class="severities" aria-label="Findings by severity">{counts}</ul>'
    return frame(
        seen, body, title=title, problems=problems, summary=summary, findings=findings[:MOST]
    )


def _severity(severity: Severity, findings: Sequence[Finding]) -> str:
    count = sum(finding.severity is severity for finding in findings)
    return f'<li class="{severity}"><b>{count}</b> {severity}</li>'


def _row(finding: Finding) -> str:
    subject = finding.subject or "nobody known"
    places = "".join(
        f"<li><code>{escape(each.file)}{f':{each.line}' if each.line else ''}</code> "
        f"{when(each.time)}</li>"
        for each in finding.evidence
    )
    more = finding.count - len(finding.evidence)
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    told = finding.path is None or finding.path in finding.reason
    path = "" if told else f" <code>{escape(finding.path or '')}</code>"
    order = list(Severity).index(finding.severity)
    return (
        f'<tr id="{finding.id}" data-row data-severity="{finding.severity}" '
        f'data-kind="{finding.detection}">'
        f'<td data-order="{order}"><span class="badge {finding.severity}">{finding.severity}</span>'
        f'</td><td data-order="{finding.score}" class="n">{finding.score:.2f}</td>'
        f'<td data-order="{finding.start.timestamp():.6f}"><time>{when(finding.start)}</time></td>'
        f"<td>{escape(subject)}<small>{escape(finding.address or '')}</small></td>"
        f"<td>{finding.detection}</td>"
        f"<td>{escape(finding.reason)}.{path}<details><summary>{finding.count:,} "
        f"{'line' if finding.count == 1 else 'lines'}</summary><ul>{places}{rest}</ul></details>"
        f"<small>{finding.id}</small></td></tr>"
    )


def _detection(name: str, findings: Sequence[Finding]) -> str:
    counts = Counter(finding.detection for finding in findings)
    detection = next(each for each in ALL if each.id == name)
    return (
        f'<tr><th scope="row">{name}</th><td class="n">{counts[name]}</td>'
        f'<td><span class="badge {detection.severity}">{detection.severity}</span></td>'
        f"<td>{escape(detection.about)}</td><td>{escape(detection.warm_up)}</td></tr>"
    )
