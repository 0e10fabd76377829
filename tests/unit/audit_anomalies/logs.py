"""Made-up events for the detections: a few calls of fake subjects, as rows of `audit.schema`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import ibis
import pyarrow

from audit import baseline
from audit.backend import connect
from audit.detections.detection import Detection, Facts
from audit.findings import Finding
from audit.known import NOTHING, Known
from audit.schema import ACTIVITY, EVENTS
from audit.thresholds import DEFAULT

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
ALICE, BOB = "fake/alice", "fake/bob"
HOME, AWAY = "10.0.0.7", "203.0.113.9"
OWN = "secret/data/fake/own"


def at(day: int, hour: float = 9.0, second: float = 0.0) -> datetime:
    """A moment `day` days after a Monday."""
    return MONDAY + timedelta(days=day, hours=hour, seconds=second)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call; two entries of a log."""

    time: datetime
    subject: str | None = ALICE
    path: str = OWN
    address: str | None = HOME
    operation: str = "read"
    error: str | None = None
    policies: tuple[str, ...] = ("default", "fake")
    phases: tuple[str, ...] = ("request", "response")
    source: str = "vault"
    mount: str | None = None


def office(days: Iterable[int], subject: str = ALICE, **fields: Any) -> Iterator[Call]:
    """Working days from nine to five: ten calls an hour."""
    for day in days:
        if day % 7 < 5:
            for hour in range(9, 17):
                for number in range(10):
                    moment = at(day, hour, 60 + 300 * number)
                    yield replace(Call(time=moment, subject=subject), **fields)


def denied(call: Call) -> Call:
    """The same call, refused."""
    return replace(call, error="permission denied")


def rows(calls: Iterable[Call]) -> list[dict[str, Any]]:
    """The entries of the calls, in the order of their times."""
    line = count(1)
    made = []
    for number, call in enumerate(sorted(calls, key=lambda each: each.time)):
        for phase in call.phases:
            values: dict[str, Any] = dict.fromkeys(EVENTS.names)
            values |= {
                "source": call.source,
                "request_id": f"fake-{number}",
                "phase": phase,
                "time": call.time,
                "subject": call.subject,
                "token_type": "service",
                "policies": list(call.policies),
                "granted_by": [],
                "operation": call.operation,
                "path": call.path,
                "mount": call.mount or call.path.partition("/")[0] + "/" * (call.source == "vault"),
                "mount_type": "kv" if call.path.startswith("secret/") else "fake",
                "address": call.address,
                "error": call.error,
                "device": "/fake/audit.log",
                "file": "/fake/audit.log",
                "line": next(line),
            }
            made.append(values)
    return made


def events(calls: Iterable[Call]) -> ibis.Table:
    """The entries of the calls, on DuckDB."""
    return _fill("events", EVENTS, rows(calls))


def found(
    detection: Detection,
    calls: Iterable[Call],
    known: Known = NOTHING,
    activity: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """What a detection finds in the calls and the activity of the devices."""
    _fill("events", EVENTS, rows(calls))
    _fill("activity", ACTIVITY, activity)
    evidence = _backend().con.sql(_question(detection, known)).to_arrow_table()
    return list(detection.findings(evidence.to_pylist()))


@cache
def _backend() -> Any:
    return connect()


def _fill(name: str, schema: ibis.Schema, values: Sequence[Mapping[str, Any]]) -> ibis.Table:
    arrow = pyarrow.Table.from_pylist(list(values), schema=schema.to_pyarrow())
    backend = _backend()
    backend.con.register("made_up", arrow)
    backend.con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM made_up")  # noqa: S608 -- our own two names
    return backend.table(name)


@cache
def _question(detection: Detection, known: Known) -> str:
    """A detection as SQL: making that takes far longer than asking it of a few rows."""
    table = _backend().table("events")
    facts = Facts(
        requests=table.filter(table.phase == "request"),
        calls=baseline.calls(table),
        visits=baseline.visits(table),
        activity=_backend().table("activity"),
        known=known,
        thresholds=DEFAULT,
    )
    sql: str = _backend().compile(detection.episodes(facts))
    return sql
