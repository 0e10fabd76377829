"""The report: its parts in their order, what each asks of the events, and what people are shown.

Owns which questions belong to it. The questions themselves are `audit.reports` and `audit.gaps`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ibis import Table

from audit import gaps, reports
from audit.backend import Tables

EVIDENCE = "evidence"  # stands for a row's file and line


@dataclass(frozen=True, kw_only=True)
class Part:
    """One answer. People are shown `columns`; programs see all of a row."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: Callable[[Tables], Table]


PARTS = (
    Part(
        id="paths",
        title="Access by path",
        columns=("path", "calls", "subjects", "last"),
        rows=lambda tables: reports.by_path(tables.events),
    ),
    Part(
        id="subjects",
        title="Access by subject",
        columns=("subject", "role", "calls", "paths", "addresses", "last"),
        rows=lambda tables: reports.by_subject(tables.events),
    ),
    Part(
        id="leases",
        title="Logins handed out, by lease",
        columns=("time", "subject", "path", "lease_id", "address", EVIDENCE),
        rows=lambda tables: reports.leases(tables.events),
    ),
    Part(
        id="denials",
        title="Refused and failed calls",
        columns=("requests", "subject", "address", "operation", "path", "error", "last"),
        rows=lambda tables: reports.denials(tables.events),
    ),
    Part(
        id="root",
        title="Use of root tokens",
        columns=("time", "operation", "path", "address", EVIDENCE),
        rows=lambda tables: reports.root_use(tables.events),
    ),
    Part(
        id="changes",
        title="Changes of policies, logins, mounts, audit devices and keys",
        columns=("time", "subject", "operation", "path", "error", EVIDENCE),
        rows=lambda tables: reports.changes(tables.events),
    ),
    Part(
        id="half_calls",
        title="Calls of which a half is missing",
        columns=("time", "missing", "subject", "operation", "path", EVIDENCE),
        rows=lambda tables: gaps.halves(tables.events),
    ),
    Part(
        id="silences",
        title="Times in which a device wrote nothing",
        columns=("device", "since", "until", "minutes", "ongoing"),
        rows=lambda tables: gaps.silences(tables.activity),
    ),
    Part(
        id="problems",
        title="Lines that could not be read",
        columns=("file", "line", "reason"),
        rows=lambda tables: tables.problems.distinct().order_by("file", "line"),
    ),
)
