"""The access matrix as one self-contained HTML page: filter, group by who or by what, print.

Owns the page and no rights. Everything that comes from outside is escaped; the page loads nothing,
and its content security policy allows no script or style but its own. It reads without scripts.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from access.matrix import Matrix
from access.model import Row, Takeover

_TEMPLATE = Path(__file__).with_name("page.html")
# The columns; what a row holds beyond them (an IAM action, a subscription) is written out.
_COLUMNS = ("read", "list", "create", "update", "patch", "delete", "sudo", "deny")


def page(matrix: Matrix, *, title: str) -> str:
    """The page as HTML. `title` names the stack or file that the matrix was made from."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    subjects = {row.subject for row in matrix.rows}
    return Template(text).substitute(
        style_hash=_hash("style", text),
        script_hash=_hash("script", text),
        title=escape(title),
        subjects=len(subjects),
        paths=len({row.path for row in matrix.rows}),
        indirect=len({takeover.subject for takeover in matrix.takeovers}),
        columns="".join(f'<th scope="col" class="c">{name}</th>' for name in _COLUMNS),
        bodies=_bodies(matrix) or _EMPTY,
        notes=_notes(matrix.notes),
    )


_EMPTY = f'<tbody><tr><td colspan="{len(_COLUMNS) + 2}">Nobody holds any right.</td></tr></tbody>'


def _bodies(matrix: Matrix) -> str:
    bodies = []
    for subject, rows in groupby(matrix.rows, key=lambda row: row.subject):
        takeovers = [t for t in matrix.takeovers if t.subject == subject]
        bodies.append(
            f'<tbody><tr class="who"><th scope="rowgroup" colspan="{len(_COLUMNS) + 2}">'
            f"<b>{escape(subject.name)}</b> <span>in {escape(subject.namespace)}</span>"
            f"{''.join(map(_takeover, takeovers))}</th></tr>"
            f"{''.join(_row(row) for row in rows)}</tbody>"
        )
    return "".join(bodies)


def _takeover(takeover: Takeover) -> str:
    target = escape(takeover.target.in_words)
    return f'<em title="{escape(takeover.via)}">may {escape(takeover.how)}: acts as {target}</em>'


def _row(row: Row) -> str:
    cells = "".join(
        f'<td class="c {name}"><span title="{name}">{"✕" if name == "deny" else "●"}</span>'
        f'<i class="sr">{name}</i></td>'
        if name in row.capabilities
        else '<td class="c"></td>'
        for name in _COLUMNS
    )
    others = ", ".join(name for name in row.capabilities if name not in _COLUMNS)
    note = "; ".join(filter(None, (others, row.note)))
    return (
        f'<tr data-who="{escape(str(row.subject))}" data-system="{escape(row.system)}">'
        f'<th scope="row"><code>{escape(row.path)}</code>'
        f"{f'<small>{escape(note)}</small>' if note else ''}</th>{cells}"
        f"<td>{escape(row.via)}<small>{escape(row.policy)}</small></td></tr>"
    )


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(note)}.</li>" for note in notes)
    return f"<h2>Not judged</h2><ul>{items}</ul>" if items else ""


def _hash(tag: str, text: str) -> str:
    """What the content security policy calls the page's own block of that kind."""
    content = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
