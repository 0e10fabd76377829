"""The access matrix and its answers as plain text for a terminal, grouped by subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from access.matrix import Holder, Matrix, Verdict


def matrix_text(matrix: Matrix) -> str:
    """Every subject with its rights, ways to act as others, and what was not judged."""
    lines: list[str] = []
    for subject, rows in groupby(matrix.rows, key=lambda row: row.subject):
        lines.append(str(subject))
        lines += _columns(
            [
                (row.path, ", ".join(row.capabilities), row.via, f"[{row.note}]" * bool(row.note))
                for row in rows
            ]
        )
        lines += [
            f"  acts as {t.target.in_words}: may {t.how}, through {t.via}"
            for t in matrix.takeovers
            if t.subject == subject
        ]
    lines = lines or ["Nobody holds any right."]
    return "\n".join([*lines, *(f"Not judged: {note}." for note in matrix.notes)])


def holders_text(holders: Iterable[Holder], *, path: str, capability: str) -> str:
    """Who holds what was asked for."""
    lines = list(
        _columns(
            [(str(h.subject), h.via, f"[{h.reason}]" * h.indirect) for h in holders], indent=""
        )
    )
    return "\n".join(lines or [f"Nobody can {capability} {path}."])


def verdict_text(verdict: Verdict) -> str:
    """Yes or no, then every role's reason."""
    can = "can" if verdict.allowed else "cannot"
    lines = [f"{verdict.subject} {can} {verdict.capability} {verdict.path}."]
    lines += [f"  yes, {h.via}: {h.reason}" for h in verdict.holders]
    lines += [f"    {loser}" for h in verdict.holders for loser in h.lost]
    for refusal in verdict.refusals:
        lines.append(f"  no, {refusal.via}: {refusal.reason}")
        lines += [f"    {loser}" for loser in refusal.lost]
    if not verdict.holders and not verdict.refusals:
        lines.append("  no role that is known here lets it in for that")
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, ...]], indent: str = "  ") -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield indent + "  ".join(cells).rstrip()
