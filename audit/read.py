"""Reading logs into a store: each line once, from where it was left, whatever happened in between.

Owns the order of steps. A commit holds events, problems and how far each log was read, together or
not at all. Entries that are in the store already (written by a second device, or read from a copy)
are found by their keys (`audit.keys`), and not taken again.
"""

# ruff: noqa: S608 -- what enters a statement is quoted: DuckDB takes no parameters in COPY

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import pyarrow

from audit import keys
from audit.logs import ForeignError, Log, files_of, identify
from audit.normalise import Part, connect, normalise, quoted
from audit.slices import SLICE_BYTES, Progress, Slice, goes_on, slices
from audit.store import Seen, Store, Stored
from audit.streams import Stream, opened, unreadable

# Files of fewer rows are made one when there are more than MANY of them.
SMALL_ROWS = 50_000
MANY = 16

_ACTIVITY = (
    "SELECT device, date_trunc('minute', time) AS minute, count(*) AS entries FROM {} GROUP BY ALL"
)


@dataclass(frozen=True, kw_only=True)
class FileProblem:
    """A line of a file that is no entry, or is not whole yet."""

    file: str
    line: int
    reason: str


@dataclass(kw_only=True)
class Outcome:
    """What reading did: `events` are new, `known` were there already.

    `problems` counts lines that are no entries; the store's table names each. `unfinished` are ends
    of files that will be read again, `empty` files without a line, `foreign` files of folders that
    are no audit logs.
    """

    files: int = 0
    events: int = 0
    known: int = 0
    problems: int = 0
    unfinished: list[FileProblem] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


def read(store: Store, paths: Iterable[Path], *, slice_bytes: int = SLICE_BYTES) -> Outcome:
    """Read what is new in files and folders of logs, and commit each `slice_bytes` bytes.

    Raises AuditError for a path that is not there or cannot be read, and for a named file that is
    no audit log; what was read before it stays.
    """
    files = files_of(paths)
    with store.writing(), tempfile.TemporaryDirectory(prefix=".", dir=store.folder) as temporary:
        reading = _Reading(store, Path(temporary), slice_bytes)
        try:
            for path, named in files:
                reading.read(path, named=named)
        finally:
            reading.commit()
        reading.merge_small_files()
        return reading.outcome


class _Reading:
    """One call of `read`: what it has read and not committed yet is in `draft`."""

    def __init__(self, store: Store, temporary: Path, slice_bytes: int) -> None:
        self.store = store
        self.slice_bytes = slice_bytes
        self.outcome = Outcome()
        self.draft = store.manifest.model_copy(deep=True)
        self.uncommitted = 0
        self.lines = temporary / "slice.json"
        self.connection = connect(temporary)

    def commit(self) -> None:
        """Make what was read count."""
        if self.draft != self.store.manifest:
            self.store.commit(self.draft)
            self.draft = self.store.manifest.model_copy(deep=True)
        self.uncommitted = 0

    def read(self, path: Path, *, named: bool) -> None:
        """Read what is new in a file."""
        self.outcome.files += 1
        try:
            now = Seen.of(path)
        except OSError as error:
            raise unreadable(path, error) from None
        if self.draft.seen.get(str(path)) == now:
            return
        try:
            log = identify(path)
        except ForeignError:
            if named:
                raise
            self.outcome.foreign.append(str(path))
            return
        if log is None:
            self.outcome.empty.append(str(path))
            return
        start = self.draft.logs.get(log.identity, Progress())
        with opened(path) as stream:
            goes = goes_on(stream, start)
            whole = self._take(log, stream, start) if goes else goes is None
        if goes is False:
            with opened(path) as stream:
                whole = self._take(log, stream, Progress())
        if whole:
            self.draft.seen[str(path)] = now

    def merge_small_files(self) -> None:
        """Keep the number of files low, however often little is read."""
        for table, stored in self.draft.tables.items():
            small = [one for one in stored if one.rows < SMALL_ROWS]
            if len(small) <= MANY:
                continue
            files = [self.store.folder / one.name for one in small]
            merged = self._write(table, f"SELECT * FROM {_parquet(files)}")
            self.draft.tables[table] = [*(one for one in stored if one not in small), merged]
        self.commit()

    def _take(self, log: Log, stream: Stream, start: Progress) -> bool:
        """Read a log to its end; whether it ends whole."""
        whole = True
        with self.lines.open("wb", buffering=0) as file:
            for piece in slices(log, stream, start, file, size=self.slice_bytes):
                if piece.lines:
                    self._take_slice(log, piece)
                    self.uncommitted += piece.after.offset - start.offset
                    start = piece.after
                    if self.uncommitted >= self.slice_bytes:
                        self.commit()
                if piece.unfinished:
                    whole = False
                    problem = piece.unfinished
                    self.outcome.unfinished.append(
                        FileProblem(file=str(log.path), line=problem.line, reason=problem.reason)
                    )
        return whole

    def _take_slice(self, log: Log, piece: Slice) -> None:
        file = self.store.new_file("events")
        part = normalise(self.connection, log, piece, self.lines, file)
        tables = self.draft.tables
        if part.rows:
            tables["activity"].append(self._write("activity", _ACTIVITY.format(_parquet([file]))))
            stored = self._without_known(part)
            self.outcome.events += stored.rows
            self.outcome.known += part.rows - stored.rows
            if stored.rows:
                tables["events"].append(stored)
        if part.problems:
            self.outcome.problems += len(part.problems)
            found = {
                "file": [str(log.path)] * len(part.problems),
                "line": [one.line for one in part.problems],
                "reason": [one.reason for one in part.problems],
            }
            self.connection.register("found", pyarrow.table(found))
            tables["problems"].append(self._write("problems", "SELECT * FROM found"))
        self.draft.logs[log.identity] = piece.after

    def _without_known(self, part: Part) -> Stored:
        """The part, without entries that it holds twice or that the store holds already."""
        mine = _parquet([part.file])
        found, lines = keys.keys_of(self.connection, mine)
        new = keys.new(found, [self.store.folder / one.name for one in self.draft.keys])
        if new.any():
            self._keep(found[:, new])
        if new.all():
            return Stored(name=part.file.name, rows=part.rows)
        self.connection.register("new", pyarrow.table({"line": lines[new]}))
        return self._write(
            "events", f"SELECT * FROM {mine} SEMI JOIN new USING (line) ORDER BY line"
        )

    def _keep(self, fresh: keys.Keys) -> None:
        """Remember sorted keys. A file is merged with the one before unless that is twice as large,
        so that there are few, and each key is written again but a few times.
        """
        file = self.store.new_file("keys", suffix="npy")
        numpy.save(file, fresh)
        stored = self.draft.keys
        stored.append(Stored(name=file.name, rows=fresh.shape[1]))
        while len(stored) > 1 and stored[-2].rows <= 2 * stored[-1].rows:
            file = self.store.new_file("keys", suffix="npy")
            last, before = stored.pop(), stored.pop()
            folder = self.store.folder
            keys.merge(folder / before.name, folder / last.name, file)
            stored.append(Stored(name=file.name, rows=before.rows + last.rows))

    def _write(self, table: str, query: str) -> Stored:
        file = self.store.new_file(table)
        written = self.connection.execute(
            f"COPY ({query}) TO {quoted(file)} (FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        return Stored(name=file.name, rows=written[0][0])


def _parquet(files: list[Path]) -> str:
    return f"read_parquet([{', '.join(map(quoted, files))}])"
