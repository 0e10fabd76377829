"""What was read, kept: Parquet files of events, problems and activity, and each log's progress.

Owns the folder. `manifest.json` names all that counts and is replaced as a whole, so that a process
killed anywhere leaves either the state before a commit or the state after it. Files that it does
not name are left over from such an end; the next writer removes them.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from audit.backend import Tables, read_parquet
from audit.errors import AuditError
from audit.schema import ACTIVITY, EVENTS, PROBLEMS
from audit.slices import Progress

TABLES = {"events": EVENTS, "problems": PROBLEMS, "activity": ACTIVITY}
_MANIFEST = "manifest.json"
_LOCK = "lock"


class Stored(BaseModel):
    """A file of one table, or of keys: its name and its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int


class Seen(BaseModel):
    """A file as it was when all of it had been read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Seen:
        """The file as it is now."""
        now = path.stat()
        return cls(size=now.st_size, modified_ns=now.st_mtime_ns, inode=now.st_ino)


class Manifest(BaseModel):
    """All that counts in a store. `logs` are progress by identity, `seen` files by path.

    `keys` are the files of `audit.keys` for all that is in the table of events.
    """

    model_config = ConfigDict(extra="forbid")

    version: Literal[4] = 4
    tables: dict[str, list[Stored]] = {name: [] for name in TABLES}
    keys: list[Stored] = []
    logs: dict[str, Progress] = {}
    seen: dict[str, Seen] = {}

    @property
    def files(self) -> set[str]:
        """The names of all files."""
        return {one.name for stored in (*self.tables.values(), self.keys) for one in stored}


class Store:
    """A folder with what was read of the logs. Made when it is not there."""

    def __init__(self, folder: Path) -> None:
        """Raises AuditError for a folder that cannot be made, or holds another version's store."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.manifest = self._load()
        except OSError as error:
            raise AuditError(
                "the store cannot be opened",
                where=str(folder),
                why=error.strerror or type(error).__name__,
                fix="name a folder that you may write to",
            ) from None

    def tables(self, backend: Any) -> Tables:
        """The store's tables at this moment, to be asked on `backend` (see `audit.backend`)."""
        return Tables(
            **{
                name: read_parquet(backend, name, schema, [str(p) for p in self.files(name)])
                for name, schema in TABLES.items()
            }
        )

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table."""
        return [self.folder / stored.name for stored in self.manifest.tables[table]]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer, from what the last one left. Raises AuditError beside another."""
        with (self.folder / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise AuditError(
                    "the store is being written to",
                    where=str(self.folder),
                    why="another process reads logs into it",
                    fix="wait until it has ended, or name another folder with --store",
                ) from None
            self.manifest = self._load()
            self._remove_what_is_left_over("*.parquet")
            self._remove_what_is_left_over("*.npy")
            yield

    def new_file(self, table: str, *, suffix: str = "parquet") -> Path:
        """A name for a file that nothing counts before it is committed."""
        return self.folder / f"{table}-{uuid4().hex}.{suffix}"

    def commit(self, manifest: Manifest) -> None:
        """Make `manifest` what counts. Its new files are on the disk before it is."""
        for name in manifest.files - self.manifest.files:
            _sync(self.folder / name)
        draft = self.folder / f"{_MANIFEST}.new"
        draft.write_text(manifest.model_dump_json())
        _sync(draft)
        draft.replace(self.folder / _MANIFEST)
        _sync(self.folder)
        self.manifest = manifest
        self._remove_what_is_left_over("*.npy")  # nobody but the writer reads them

    def _load(self) -> Manifest:
        path = self.folder / _MANIFEST
        if not path.exists():
            return Manifest()
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            raise AuditError(
                "the store cannot be read",
                where=str(path),
                why=f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}",
                fix="name another folder, and read the logs into it anew",
            ) from None

    def _remove_what_is_left_over(self, pattern: str) -> None:
        counts = self.manifest.files
        for path in self.folder.glob(pattern):
            if path.name not in counts:
                path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
