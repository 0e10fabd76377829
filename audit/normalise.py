"""From a slice of a log to a part of the event table: read, named and typed by DuckDB.

Owns the one statement that does it. A line that is no entry becomes a problem with its number, and
costs no other line.
"""

# ruff: noqa: S608 -- what enters a statement is quoted: DuckDB takes no parameters in COPY

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson

from audit.logs import KINDS, Log
from audit.schema import EVENTS, Phase
from audit.slices import Problem, Slice

MEMORY_LIMIT = "1GB"
_BLANK = re.compile(rb"^[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file with `rows` rows of events, and the lines that are none."""

    file: Path
    rows: int
    problems: tuple[Problem, ...] = ()


def connect(temporary: Path) -> duckdb.DuckDBPyConnection:
    """A connection that keeps to MEMORY_LIMIT and spills below `temporary`."""
    return duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": _cores(),
            "temp_directory": str(temporary),
            "TimeZone": "UTC",
            # A slice lies where the one before lay.
            "enable_external_file_cache": False,
            "autoinstall_known_extensions": False,
        }
    )


def _cores() -> int:
    """How many this process may use; macOS knows no affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def normalise(
    connection: duckdb.DuckDBPyConnection, log: Log, piece: Slice, lines: Path, part: Path
) -> Part:
    """Write the events of the slice in `lines` to `part`, in the order and types of EVENTS."""
    rows = _write(connection, log, piece, lines, part)
    problems = piece.too_long
    if rows < piece.lines - len(piece.too_long):
        _fill_blank_lines(connection, log, piece, lines)
        rows = _write(connection, log, piece, lines, part)
        problems = (*problems, *_problems(connection, log, piece, lines))
    return Part(file=part, rows=rows, problems=problems)


def _write(
    connection: duckdb.DuckDBPyConnection, log: Log, piece: Slice, lines: Path, part: Path
) -> int:
    written = connection.execute(
        f"COPY ({_events(log, piece, lines)}) TO {quoted(part)} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchall()
    return int(written[0][0])


def _events(log: Log, piece: Slice, lines: Path) -> str:
    columns = ", ".join(f'"{name}"' for name in EVENTS.names)
    return f"""
        SELECT {columns} FROM (
            SELECT '{log.source}' AS source, {KINDS[log.source].EVENT},
                {quoted(log.device)} AS device, {quoted(log.path)} AS file, line
            FROM ({_numbered(log, piece, lines)})
        ) WHERE {_WHOLE}
    """


_WHOLE = f"request_id <> '' AND phase IN {tuple(map(str, Phase))} AND time IS NOT NULL"


def _numbered(log: Log, piece: Slice, lines: Path) -> str:
    columns = ", ".join(
        f'"{name}": {quoted(kind)}' for name, kind in KINDS[log.source].COLUMNS.items()
    )
    return (
        f"SELECT *, {piece.before} + row_number() OVER () AS line "
        f"FROM read_ndjson({quoted(lines)}, columns = {{{columns}}}, ignore_errors = true)"
    )


def _fill_blank_lines(
    connection: duckdb.DuckDBPyConnection, log: Log, piece: Slice, lines: Path
) -> None:
    """DuckDB passes over blank lines, which would shift the numbers of those after them."""
    ((counted,),) = connection.execute(
        f"SELECT count(*) FROM ({_numbered(log, piece, lines)})"
    ).fetchall()
    if counted < piece.lines:
        content = lines.read_bytes()
        lines.write_bytes(_BLANK.sub(b"{}", content.removesuffix(b"\n")) + b"\n")


def _problems(
    connection: duckdb.DuckDBPyConnection, log: Log, piece: Slice, lines: Path
) -> Iterator[Problem]:
    known = {problem.line for problem in piece.too_long}
    numbers = connection.execute(
        f"SELECT line FROM (SELECT line, {KINDS[log.source].EVENT} "
        f"FROM ({_numbered(log, piece, lines)})) WHERE ({_WHOLE}) IS NOT TRUE"
    ).fetchall()
    wanted = {number for (number,) in numbers}
    with lines.open("rb") as file:
        for number, line in enumerate(file, piece.before + 1):
            if number in wanted and number not in known and line != b"{}\n":
                yield Problem(line=number, reason=_reason(log, line))


def _reason(log: Log, line: bytes) -> str:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return "the line is cut or damaged: it is no JSON"
    return f"the line is JSON, but no entry of a {log.source} audit log"


def quoted(value: object) -> str:
    """A value as a literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"
