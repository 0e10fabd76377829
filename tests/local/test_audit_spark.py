"""DuckDB and Spark give the same answers to the same questions about the same logs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import ibis
import pytest

from audit import gaps, reports
from audit.backend import Tables, connect, rows_of
from audit.store import Store
from local.node import packages
from tests.unit.audit.entries import REAL, call, calls, read_into, write
from tests.unit.audit.test_other_logs import EVENTS, RECORDS, document, lines

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CREDS = "database/creds/ml-readonly"
QUESTIONS: dict[str, Callable[[Tables], ibis.Table]] = {
    "by_path": lambda t: reports.by_path(t.events),
    "by_subject": lambda t: reports.by_subject(t.events),
    "who": lambda t: reports.who(t.events, "secret/ml/mlflow"),
    "who below": lambda t: reports.who(t.events, "secret/*"),
    "used": lambda t: reports.used(t.events, "ml/trainer"),
    "leases": lambda t: reports.leases(t.events),
    "denials": lambda t: reports.denials(t.events),
    "root_use": lambda t: reports.root_use(t.events),
    "changes": lambda t: reports.changes(t.events),
    "granted": lambda t: reports.granted(t.events),
    "halves": lambda t: gaps.halves(t.events),
    "silences": lambda t: gaps.silences(t.activity),
    "problems": lambda t: t.problems.distinct().order_by("file", "line"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Logs of every kind, with something for each question."""
    folder = tmp_path_factory.mktemp("logs")
    made = [
        *calls(range(300)),
        *call(300, subject="ml/notebook", path=CREDS, lease=f"{CREDS}/fake", mount_type="database"),
        call(301)[0],
        b"{",
        *(line for n in range(302, 320) for line in call(n, error="permission denied")),
        *(line for n in range(400, 430) for line in call(n, at=60 * n)),
        *call(500, at=60 * 500),
    ]
    write(folder / "audit.log", made)
    write(folder / "second.log", made[:400])
    write(folder / "kubernetes.log", lines(EVENTS))
    document(folder / "trail.json.gz", "Records", RECORDS)
    return read_into(folder / "store", folder, REAL)[0]


@pytest.fixture(scope="module")
def both(store: Store) -> Iterator[tuple[Tables, Tables]]:
    """The same store, asked on each."""
    packages.java(print)
    spark: Any = connect("local[*]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield store.tables(connect()), store.tables(spark)
    spark.disconnect()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_answers_are_the_same(both: tuple[Tables, Tables], question: str) -> None:
    here, there = (rows_of(QUESTIONS[question](tables)) for tables in both)
    assert here != []
    assert here == there
