"""The page of `audit report`: every part as a table that can be filtered and sorted.

Owns its tables; the frame around them and how text becomes HTML safely is `audit.page`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from audit.overview import Overview
from audit.page import MOST, frame, left_out, when
from audit.report import EVIDENCE, PARTS, Part
from audit.unused import UnusedGrant

Rows = Sequence[Mapping[str, Any]]

_BODY = Path(__file__).with_name("report_page.html")
_UNUSED = "unused"
_NOT_COMPARED = (
    "<p>Grants were not compared: name a stack with --stack, or its file with --config-file.</p>"
)


def page(
    seen: Overview,
    told: Mapping[str, Rows],
    left: Sequence[UnusedGrant] | None,
    *,
    title: str,
) -> str:
    """The page as HTML. `told` are the rows of each part by its id; `title` says which logs.

    `left` is what grants allow that nobody did; None when grants were not compared.
    """
    body = Template(_BODY.read_text(encoding="utf-8")).substitute(
        parts="".join(_part(part, told[part.id]) for part in PARTS),
        unused=_NOT_COMPARED if left is None else _unused(left),
    )
    counts = "".join(
        f'<li><a href="#{part.id}">{part.title}</a> {len(told[part.id]):,}</li>' for part in PARTS
    )
    summary = (
        f'<nav aria-label="Parts of the report"><ul>{counts}<li><a href="#{_UNUSED}">'
        "Granted and not used</a></li></ul></nav>"
    )
    return frame(seen, body, title=title, problems=len(told["problems"]), summary=summary)


def _part(part: Part, rows: Rows) -> str:
    heading = f'<h2 id="{part.id}">{part.title}<small>{len(rows):,}</small></h2>'
    if not rows:
        return f"{heading}<p>None.</p>"
    lines = "".join(
        f"<tr data-row>{''.join(_cell(row, name) for name in part.columns)}</tr>"
        for row in rows[:MOST]
    )
    return heading + _table(part.title, part.columns, lines) + left_out(len(rows), "rows")


def _table(title: str, columns: Sequence[str], lines: str) -> str:
    heads = "".join(
        f'<th scope="col"><button type="button">{name.replace("_", " ")}</button></th>'
        for name in columns
    )
    return (
        f'<div class="sheet"><table class="filtered"><caption class="sr">{title}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cell(row: Mapping[str, Any], name: str) -> str:
    if name == EVIDENCE:
        place = f"{row['file']}:{row['line']}"
        return f"<td><code>{escape(place)}</code></td>"
    value = row[name]
    if isinstance(value, datetime):
        return f'<td class="short" data-order="{value.timestamp():.6f}">{when(value)}</td>'
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, int):
        return f'<td class="n" data-order="{value}">{value:,}</td>'
    return f"<td>{escape('-' if value is None else str(value))}</td>"


def _unused(left: Sequence[UnusedGrant]) -> str:
    if not left:
        return "<p>Of every grant, all was used.</p>"
    lines = "".join(
        f"<tr data-row><td>{escape(one.grant)}</td><td>{escape(right.path)}</td>"
        f"<td>{', '.join(right.capabilities)}</td></tr>"
        for one in left
        for right in one.unused
    )
    table = _table("Granted and not used", ("grant", "path", "unused"), lines)
    return table + "".join(map(_narrower, left))


def _narrower(one: UnusedGrant) -> str:
    name = escape(one.grant)
    if not one.narrower:
        return f"<h3>{name}: nothing was used; the grant can go</h3>"
    return f"<h3>{name}: the policy for what was used</h3><pre>{escape(one.narrower)}</pre>"
