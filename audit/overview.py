"""What a log looks like as a whole: how much, when, by whom. Owns the counts behind the plots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ibis import Table
from ibis import _ as row

from audit import baseline
from audit.findings import in_utc

BUSIEST = 12  # subjects that are named


@dataclass(frozen=True, kw_only=True)
class Hour:
    """The calls of one hour, UTC."""

    start: datetime
    calls: int
    denied: int


@dataclass(frozen=True, kw_only=True)
class Busy:
    """The calls of one subject; of nobody known when it is None."""

    subject: str | None
    calls: int
    denied: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`hours` are in order, and only those with calls; `busiest` has the most active first."""

    hours: tuple[Hour, ...]
    busiest: tuple[Busy, ...]
    subjects: int
    paths: int
    addresses: int

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(hour.calls for hour in self.hours)

    @property
    def denied(self) -> int:
        """How many of them failed."""
        return sum(hour.denied for hour in self.hours)


def overview(events: Table) -> Overview:
    """The counts of all events."""
    calls = baseline.calls(events)
    calls = calls.mutate(denied=row.error.notnull().cast("int64"), hour=row.time.truncate("h"))
    hours = calls.group_by("hour").aggregate(calls=row.line.count(), denied=row.denied.sum())
    busiest = calls.group_by("subject").aggregate(calls=row.line.count(), denied=row.denied.sum())
    totals = calls.aggregate(
        subjects=row.subject.nunique(), paths=row.path.nunique(), addresses=row.address.nunique()
    )
    [total] = _rows(totals)
    busy = busiest.order_by(row.calls.desc(), row.subject).limit(BUSIEST)
    return Overview(
        hours=tuple(
            Hour(start=in_utc(each["hour"]), calls=each["calls"], denied=each["denied"])
            for each in _rows(hours.order_by("hour"))
        ),
        busiest=tuple(Busy(**each) for each in _rows(busy)),
        **total,
    )


def _rows(table: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return rows
