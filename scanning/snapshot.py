"""The files that are scanned, laid out so that every scanner reads exactly the same.

Owns the choice of files in each mode and the folder of copies: `NUMBER/PATH`, readable by this user
only and removed after the scan. A file that no scanner can judge is kept on a list, not left out
in silence.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath

from scanning import git
from scanning.config import MIB, Config
from scanning.errors import ScanError

_SNIFFED = 8192  # bytes in which a NUL marks a binary file, as git does


class Mode(StrEnum):
    """What is scanned."""

    TREE = "tree"
    STAGED = "staged"
    HISTORY = "history"
    PATHS = "paths"


class Obstacle(StrEnum):
    """Why a file was not scanned. Only the first is in order."""

    BINARY = "binary"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file of the snapshot: where it lies now, and what it is a copy of."""

    copy: Path
    path: str
    commit: str | None = None

    def text(self) -> str:
        """The content; bytes that are no UTF-8 survive as lone surrogates."""
        return self.copy.read_bytes().decode(errors="surrogateescape")


@dataclass(frozen=True, kw_only=True)
class Unscanned:
    """A file that was not scanned, and why."""

    path: str
    obstacle: Obstacle
    detail: str

    @property
    def in_order(self) -> bool:
        """Whether the answer is complete without it."""
        return self.obstacle is Obstacle.BINARY


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """`sources` by number; the number is the first part of a copy's path below `folder`."""

    folder: Path
    mode: Mode
    sources: list[Source] = field(default_factory=list)
    unscanned: list[Unscanned] = field(default_factory=list)
    _known: set[tuple[str, bytes]] = field(default_factory=set)

    def add(self, path: str, content: bytes, commit: str | None = None) -> None:
        """Take a file in, unless it is binary or there already."""
        identity = (path, hashlib.sha256(content).digest())
        if identity in self._known:
            return
        self._known.add(identity)
        content = _as_utf8(content)
        if b"\0" in content[:_SNIFFED]:
            self.skip(path, Obstacle.BINARY, "it has NUL bytes")
            return
        # A tree that somebody made by hand may have `..` in its paths.
        inside = (part for part in PurePosixPath(path).parts if part not in ("/", "//", ".."))
        copy = (self.folder / str(len(self.sources))).joinpath(*inside)
        copy.parent.mkdir(parents=True)
        copy.write_bytes(content)
        self.sources.append(Source(copy=copy, path=path, commit=commit))

    def remove(self) -> None:
        """Delete every copy."""
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def skip(self, path: str, obstacle: Obstacle, detail: str) -> None:
        """Keep the file on the list of those not scanned, once."""
        entry = Unscanned(path=path, obstacle=obstacle, detail=detail)
        if entry not in self.unscanned:
            self.unscanned.append(entry)


def _as_utf8(content: bytes) -> bytes:
    """Text in UTF-16 with its mark, as PowerShell writes it, in the form that scanners read."""
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content
    try:
        return content.decode("utf-16").encode()
    except UnicodeError:
        return content


@contextmanager
def taken(
    root: Path, mode: Mode, config: Config, *, paths: Sequence[Path] = (), since: str | None = None
) -> Iterator[Snapshot]:
    """The snapshot of the mode; `paths` belong to PATHS, `since` to HISTORY.

    HISTORY holds the work tree too, last. Raises ScanError for a path that is missing or has no
    file, and for what git refuses.
    """
    folder = Path(tempfile.mkdtemp(prefix="strongroom-scan-"))
    snapshot = Snapshot(folder=folder, mode=mode)
    try:
        if mode is Mode.PATHS:
            _add_files(snapshot, config, _below(snapshot, root, paths))
        if mode is Mode.STAGED:
            _add_blobs(snapshot, config, root, git.staged(root))
        if mode is Mode.HISTORY:
            _add_blobs(snapshot, config, root, git.history(root, since))
        if mode in (Mode.TREE, Mode.HISTORY):
            _add_files(snapshot, config, ((root / name, name) for name in git.working_files(root)))
        yield snapshot
    finally:
        snapshot.remove()


def _below(snapshot: Snapshot, root: Path, paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Every file at and below the paths, ignored by git or not, with the name to report.

    A link that is named is followed; a folder that may not be listed is one not scanned.
    """
    for path in paths:
        closed: list[OSError] = []
        if not path.exists():
            raise ScanError(
                "no such file or folder", where=str(path), why="it does not exist", fix="correct it"
            )
        found = [path.resolve() if path.is_symlink() else path]
        if path.is_dir():
            walked = os.walk(path, onerror=closed.append)
            found = sorted(Path(folder, name) for folder, _, names in walked for name in names)
        for error in closed:
            why = error.strerror or str(error)
            snapshot.skip(str(error.filename), Obstacle.UNREADABLE, why)
        files = [one for one in found if ".git" not in one.parts]
        if not files and not closed:
            raise ScanError(
                "there is nothing to scan",
                where=str(path),
                why="no file is in it",
                fix="correct it",
            )
        for file in files:
            whole = file.parent.resolve() / file.name
            inside = whole.is_relative_to(root)
            yield file, (whole.relative_to(root) if inside else whole).as_posix()


def _add_files(snapshot: Snapshot, config: Config, files: Iterable[tuple[Path, str]]) -> None:
    for file, name in files:
        if config.excludes(name):
            continue
        try:
            facts = file.lstat()
            if stat.S_ISLNK(facts.st_mode) or stat.S_ISDIR(facts.st_mode):
                continue  # a link's target is scanned where it is; a folder is a submodule
            if not stat.S_ISREG(facts.st_mode):
                snapshot.skip(name, Obstacle.UNREADABLE, "it is no regular file")
            elif facts.st_size > config.max_bytes:
                snapshot.skip(name, Obstacle.TOO_LARGE, _size(facts.st_size, config))
            else:
                snapshot.add(name, file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted in the work tree, or since it was listed
        except OSError as error:
            snapshot.skip(name, Obstacle.UNREADABLE, error.strerror or str(error))


def _add_blobs(snapshot: Snapshot, config: Config, root: Path, blobs: Sequence[git.Blob]) -> None:
    wanted = [blob for blob in blobs if not config.excludes(blob.path)]
    for blob, content in git.contents(root, wanted, config.max_bytes):
        if isinstance(content, int):
            snapshot.skip(blob.path, Obstacle.TOO_LARGE, _size(content, config))
        else:
            snapshot.add(blob.path, content, blob.commit)


def _size(size: int, config: Config) -> str:
    return f"{size / MIB:.1f} MiB, above maxMegabytes: {config.max_megabytes}"
