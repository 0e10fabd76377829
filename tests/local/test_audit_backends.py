"""DuckDB and Spark find the same, with the same reasons, scores and lines, by every detection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import ibis
import pyarrow
import pytest
from pyarrow import parquet
from pyspark.sql import SparkSession

from audit import baseline
from audit.anomalies import find
from audit.backend import Tables, connect, read_parquet
from audit.detections import ALL
from audit.findings import Finding
from audit.known import Known
from audit.overview import overview
from audit.schema import ACTIVITY, EVENTS, PROBLEMS
from tests.unit.audit_anomalies.logs import AWAY, BOB, MONDAY, OWN, Call, at, denied, office, rows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

KNOWN = Known.model_validate(
    {
        "canaries": ["secret/data/fake/decoy*"],
        "networks": ["10.0.0.0/8"],
        "deployments": [{"from": at(22, 14).isoformat(), "to": at(22, 15).isoformat()}],
    }
)


def everything() -> list[Call]:
    """Three ordinary weeks of two subjects, then something for every detection."""
    refusal = denied(Call(time=at(21, 11)))
    return [
        *office(range(23)),
        *office(range(23), subject=BOB, path=f"{OWN}/bob"),
        Call(time=at(22, 3)),
        *(Call(time=at(21, 10, 2 + n * 3)) for n in range(300)),
        Call(time=at(21, 15), address=AWAY),
        Call(time=at(21, 16), path=f"{OWN}/bob"),
        Call(time=at(21, 17), path="fake-one/data/x"),
        Call(time=at(21, 17, 60), path="fake-two/data/x"),
        Call(time=at(21, 18), path="fake-three/data/x"),
        Call(time=at(21, 18, 60), path="fake-four/data/x", subject=BOB),
        *(Call(time=at(22, 10, 2 + n), path=f"{OWN}/{n}", subject=BOB) for n in range(40)),
        *(replace(refusal, time=at(21, 11, n * 10)) for n in range(30)),
        *(replace(refusal, time=at(21, 12, n * 10), subject=None) for n in range(30)),
        Call(time=at(21, 13), path="secret/data/fake/decoy/1"),
        Call(time=at(21, 13), path=OWN, subject="root", policies=("root",)),
        Call(time=at(21, 14), path="sys/generate-root/attempt", operation="update", subject=None),
        Call(time=at(22, 13), path="sys/mounts/fake", operation="update", policies=("deploy",)),
        Call(time=at(22, 14.5), path="sys/mounts/fake", operation="delete", policies=("deploy",)),
        Call(time=at(22, 16), path="sys/audit/file", operation="delete", phases=("request",)),
        Call(
            time=at(22, 17),
            subject=None,
            path="sys/wrapping/unwrap",
            error="wrapping token is not valid or does not exist",
            phases=("request",),
        ),
    ]


def activity() -> list[dict[str, object]]:
    """A device that is silent for two hours in its last week."""
    minutes = (MONDAY + timedelta(minutes=n) for n in range(23 * 1440))
    silent = (at(20, 6), at(20, 8))
    return [
        {"device": "/fake/audit.log", "minute": minute, "entries": 3}
        for minute in minutes
        if not silent[0] <= minute < silent[1]
    ]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    made = (
        ("events", EVENTS, rows(everything())),
        ("activity", ACTIVITY, activity()),
        ("problems", PROBLEMS, [{"file": "x", "line": 1, "reason": "fake"}]),
    )
    for name, schema, values in made:
        table = pyarrow.Table.from_pylist(values, schema=schema.to_pyarrow())
        parquet.write_table(table, folder / f"{name}.parquet")
    return folder


def tables(files: Path, master: str | None) -> Tables:
    backend = connect(master)
    return Tables(
        events=read_parquet(backend, "events", EVENTS, [f"{files}/events.parquet"]),
        problems=read_parquet(backend, "problems", PROBLEMS, [f"{files}/problems.parquet"]),
        activity=read_parquet(backend, "activity", ACTIVITY, [f"{files}/activity.parquet"]),
    )


def visits(files: Path, here: Tables, name: str) -> ibis.Table:
    """The baseline as the backend writes and reads it."""
    written = f"{files}/visits-{name}.parquet"
    baseline.visits(here.events).to_parquet(written)
    return read_parquet(here.events.get_backend(), "visits", baseline.VISITS, [written])


def told(findings: Sequence[Finding]) -> list[str]:
    return sorted(repr(finding) for finding in findings)


def test_both_find_the_same(files: Path) -> None:
    SparkSession.builder.config("spark.sql.shuffle.partitions", "2").master(
        "local[2]"
    ).getOrCreate()
    here, there = tables(files, None), tables(files, "local[2]")
    findings = find(here, visits(files, here, "duckdb"), known=KNOWN)
    assert {finding.detection for finding in findings} == {detection.id for detection in ALL}
    assert told(find(there, visits(files, there, "spark"), known=KNOWN)) == told(findings)
    assert overview(there.events) == overview(here.events)
