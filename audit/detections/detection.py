"""What every detection is: an expression that gives evidence rows, and how a finding is told.

Owns the rows' columns and the gathering of rows into episodes. The expressions are Ibis alone, so
that DuckDB and Spark judge alike.

| column of a row | meaning |
|---|---|
| `key` | rows of one key belong together while the pauses between them are short |
| `time`, `file`, `line` | the evidence |
| `subject`, `address`, `path` | whose, whence, what; NULL where nobody knows |
| `crossed` | whether the evidence suffices with this row |
| `measure`, `usual` | what was measured, and what it is held against |
| `score` | 0 to 1 |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.findings import Evidence, Finding, Severity, identify, in_utc
from audit.known import Known, Window
from audit.schema import Source
from audit.thresholds import EVIDENCE_LINES, Thresholds

# Below such a mount any name may stand.
_SECRETS = ("kv", "generic", "cubbyhole")
COLUMNS = (
    "key",
    "time",
    "file",
    "line",
    "subject",
    "address",
    "path",
    "crossed",
    "measure",
    "usual",
    "score",
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a detection may look at: `audit.schema`'s events by phase and activity, and the past.

    Most look at `calls`, the responses; `visits` is the baseline (`audit.baseline`).
    """

    requests: Table
    calls: Table
    visits: Table
    activity: Table
    known: Known
    thresholds: Thresholds


@dataclass(frozen=True, kw_only=True)
class Detection:
    """`about` and `warm_up` are for people; `tell` says why, given an episode's first row."""

    id: str
    severity: Severity
    about: str
    warm_up: str
    rows: Callable[[Facts], Table]
    tell: Callable[[Mapping[str, Any]], str]

    def episodes(self, facts: Facts) -> Table:
        """The first rows of every episode that has enough evidence, with its totals."""
        return _episodes(self.rows(facts), facts.thresholds.quiet_seconds)

    def findings(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
        """The findings of what `episodes` gave."""
        zoned: list[dict[str, Any]] = [
            {name: in_utc(v) if isinstance(v, datetime) else v for name, v in each.items()}
            for each in rows
        ]
        for _, group in groupby(zoned, key=lambda each: (each["key"], each["start"])):
            evidence = list(group)
            first = evidence[0]
            yield Finding(
                id=identify(self.id, first["key"], first["start"]),
                detection=self.id,
                severity=self.severity,
                score=round(first["score"], 3),
                subject=first["subject"],
                address=first["address"],
                path=first["path"],
                start=first["start"],
                detected=first["detected"],
                end=first["end"],
                count=first["count"],
                reason=self.tell(first),
                evidence=tuple(
                    Evidence(file=e["file"], line=e["line"], time=e["time"]) for e in evidence
                ),
            )


def evidence(table: Table, key: ibis.Value | str, **columns: Any) -> Table:
    """`table` with the columns of evidence; those not given are certain (crossed, score 1)."""
    certain: dict[str, Any] = {"crossed": True, "measure": 1.0, "usual": 0.0, "score": 1.0}
    given = {**certain, **columns}
    wide = table.mutate(key=key, **given)
    numbers = {name: wide[name].cast("float64") for name in ("measure", "usual", "score")}
    return wide.mutate(**numbers).select(*COLUMNS)


def seconds(time: ibis.Value) -> ibis.Value:
    """Whole seconds since 1970; cut off, not rounded, on every backend."""
    return time.truncate("s").epoch_seconds().cast("int64")


def of_vault(table: Table, path: str) -> ibis.Value:
    """Whether a call is on Vault's own `path`, a regular expression, in whatever namespace.

    A namespace's name stands in front, and a secret may be called sys/audit, too.
    """
    secrets = table.mount_type.fill_null("").isin(_SECRETS)
    vault = table.source == Source.VAULT.value
    return vault & table.path.re_search(rf"^(?:.*/)?{path}") & ~secrets


def outside(table: Table, windows: Sequence[Window]) -> Table:
    """The rows at whose time nothing of the kind was expected of their subject."""
    for window in windows:
        inside = (table.time >= ibis.literal(window.start)) & (
            table.time < ibis.literal(window.end)
        )
        if window.subject is not None:
            inside &= table.subject.fill_null("") == window.subject
        table = table.filter(~inside)
    return table


def _episodes(rows: Table, quiet: int) -> Table:
    order = [row.time, row.file, row.line]
    ordered = ibis.window(group_by="key", order_by=order)
    rows = rows.mutate(second=seconds(row.time))
    rows = rows.mutate(pause=row.second - row.second.lag().over(ordered))
    fresh = (row.pause.isnull() | (row.pause > quiet)).cast("int64")
    rows = rows.mutate(
        episode=fresh.sum().over(ibis.cumulative_window(group_by="key", order_by=order))
    )
    whole = ibis.window(group_by=["key", "episode"])
    rows = rows.mutate(
        nth=ibis.row_number().over(ibis.window(group_by=["key", "episode"], order_by=order)),
        start=row.time.min().over(whole),
        end=row.time.max().over(whole),
        detected=ibis.ifelse(row.crossed, row.time, ibis.null("timestamp('UTC')"))
        .min()
        .over(whole),
        count=row.line.count().over(whole),
        measure=row.measure.max().over(whole),
        score=row.score.max().over(whole),
    )
    kept = rows.filter((row.nth < EVIDENCE_LINES) & row.detected.notnull())
    return kept.order_by("key", "start", "nth")
