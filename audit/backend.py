"""Where questions run: DuckDB in this process, or a Spark cluster. The expressions are the same.

Owns the connection and its limits; both work in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis

from audit.errors import AuditError

MEMORY_LIMIT = "2GB"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables of `audit.schema`, ready to be asked through Ibis."""

    events: ibis.Table
    problems: ibis.Table
    activity: ibis.Table


def connect(master: str | None = None) -> Any:
    """An Ibis backend: DuckDB embedded, or Spark at the master URL (`spark://…`, `local[*]`).

    DuckDB keeps to MEMORY_LIMIT and spills the rest to a temporary folder. Raises AuditError when
    Spark cannot be started.
    """
    if master is None:
        backend = ibis.duckdb.connect()
        backend.raw_sql(f"SET memory_limit = '{MEMORY_LIMIT}'; SET TimeZone = 'UTC'")
        return backend
    return _spark(master)


def read_parquet(backend: Any, name: str, schema: ibis.Schema, files: Sequence[str]) -> ibis.Table:
    """The table `name` in Parquet files; empty, with the same columns, when there are none."""
    if not files:
        return ibis.memtable([], schema=schema)
    if backend.name == "duckdb":
        return backend.read_parquet(list(files), table_name=name)
    backend._session.read.parquet(*files).createOrReplaceTempView(name)
    return backend.table(name)


def rows_of(expression: ibis.Table) -> list[dict[str, Any]]:
    """The rows of an expression as plain values, the same from either backend: times are in UTC."""
    found: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
    return [{name: _in_utc(value) for name, value in row.items()} for row in found]


def _in_utc(value: Any) -> Any:
    """Spark gives the session's time, which is UTC, without saying so."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


def _partitions(master: str) -> int:
    """In one process, the 200 partitions that Spark makes by default are mostly empty work."""
    return 8 if master.startswith("local") else 200


def _spark(master: str) -> Any:
    try:
        from pyspark.sql import SparkSession

        session = (
            SparkSession.builder.master(master)
            .appName("strongroom-audit")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", _partitions(master))
            .config("spark.ui.showConsoleProgress", "false")
            .getOrCreate()
        )
    except Exception as error:
        raise AuditError(
            "Spark cannot be reached",
            where=master,
            why=str(error).splitlines()[0],
            fix="check the master's URL and that Java is installed, or leave the option out",
        ) from error
    return ibis.pyspark.connect(session)
