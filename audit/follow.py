"""A log while it is written: each new entry as it comes, across rotation.

Owns when to go from one file to the next: a renamed file is read to its end before the new one, and
not left before the new one holds something, because until then the server still writes to the old.
Keeps nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from audit.errors import AuditError
from audit.logs import Log, identify
from audit.normalise import connect, normalise
from audit.read import FileProblem
from audit.slices import Progress, slices
from audit.streams import Plain, is_compressed, unreadable

PAUSE_SECONDS = 0.5
_READ = 2**20


@dataclass(frozen=True, kw_only=True)
class News:
    """What came since the last look: rows of `audit.schema.EVENTS`, and lines that are none."""

    events: list[dict[str, Any]]
    problems: list[FileProblem]


def follow(
    path: Path, *, from_start: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[News]:
    """Give what is written to a log, until `stop` says so; from now on, or from its start.

    Raises AuditError for a file that is not there, is compressed or is no audit log.
    """
    try:
        if is_compressed(path):
            raise AuditError(
                "the log cannot be followed",
                where=str(path),
                why="it is compressed, and nobody writes to it any more",
                fix="name the file that the audit device writes to",
            )
        file = _open(path)
    except OSError as error:
        raise unreadable(path, error) from None
    progress = Progress() if from_start else _end_of(file)
    with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
        reader = _Reader(Path(folder))
        while True:
            rotated = _follower_of(path, file)
            news, progress = reader.read(path, file, progress)
            if news.events or news.problems:
                yield news
            if rotated:
                file.close()
                file, progress = rotated, Progress()
            elif stop():
                file.close()
                return
            else:
                time.sleep(PAUSE_SECONDS)


class _Reader:
    """Turns what is new in a file into rows."""

    def __init__(self, folder: Path) -> None:
        self._connection = connect(folder)
        self._lines = folder / "slice.json"
        self._part = folder / "part.parquet"
        self._log: Log | None = None

    def read(self, path: Path, file: FileIO, progress: Progress) -> tuple[News, Progress]:
        news = News(events=[], problems=[])
        self._log = self._log or identify(path)
        stream = Plain(file)
        if self._log is None:
            return news, progress
        if stream.skip(progress.offset) < progress.offset:
            # It was copied and truncated in place: what is in it now is new.
            progress = Progress()
            stream.skip(0)
        with self._lines.open("wb", buffering=0) as lines:
            for piece in slices(self._log, stream, progress, lines):
                if not piece.lines:
                    continue
                part = normalise(self._connection, self._log, piece, self._lines, self._part)
                rows = self._connection.read_parquet(str(self._part)).to_arrow_table()
                news.events.extend(rows.to_pylist())
                news.problems.extend(
                    FileProblem(file=str(path), line=one.line, reason=one.reason)
                    for one in part.problems
                )
                progress = piece.after
        return news, progress


def _open(path: Path) -> FileIO:
    return path.open("rb", buffering=0)


def _follower_of(path: Path, file: FileIO) -> FileIO | None:
    """The file that took the followed one's name, once something is in it."""
    try:
        newer = _open(path)
    except OSError:
        return None
    now, then = os.fstat(newer.fileno()), os.fstat(file.fileno())
    if (now.st_dev, now.st_ino) != (then.st_dev, then.st_ino) and now.st_size:
        return newer
    newer.close()
    return None


def _end_of(file: FileIO) -> Progress:
    """Behind the last whole line."""
    buffer = bytearray(_READ)
    offset = lines = position = 0
    while got := file.readinto(buffer):
        if here := buffer.count(b"\n", 0, got):
            lines += here
            offset = position + buffer.rfind(b"\n", 0, got) + 1
        position += got
    return Progress(offset=offset, lines=lines)
