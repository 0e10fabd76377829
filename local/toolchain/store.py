"""Sealed folders in the cache: published whole or not at all, and checked before they are reused.

Owns locking, staging, checksums and publishing. Knows nothing of Go, charts or downloads: it is
given a name, a key that stands for every input, and a function that fills an empty folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from local.progress import Progress
from local.toolchain.errors import ToolchainError

MANIFEST = "manifest.json"
LOCK_DEADLINE = 3600.0  # seconds; longer than the longest build
_LOCK_POLL = 0.2
_LOCK_REPORT = 15.0

Facts = Mapping[str, str | float | int]


@dataclass(frozen=True)
class Sealed:
    """A published folder. `fresh` is True when this call made it; `facts` are its maker's."""

    path: Path
    facts: Facts
    fresh: bool


@dataclass(frozen=True)
class Store:
    """One kind of sealed folders, all under `root`."""

    root: Path

    def obtain(
        self, name: str, key: str, fill: Callable[[Path], Facts], progress: Progress
    ) -> Sealed:
        """The folder for `name` and `key`; made by `fill` unless a sound one is there.

        Only one process at a time makes a folder of that name. What `fill` leaves when it raises
        or is interrupted is removed; what a killed process left is removed by the next one.
        Raises ToolchainError when another process holds the name for more than an hour.
        """
        target = self.root / f"{name}-{key}"
        if (facts := self._sound(target)) is not None:
            return Sealed(target, facts, fresh=False)
        self.root.mkdir(parents=True, exist_ok=True)
        with self._lock(name, progress):
            if (facts := self._sound(target)) is not None:
                return Sealed(target, facts, fresh=False)
            for abandoned in self.root.glob(f".{name}-*.partial"):
                shutil.rmtree(abandoned)
            if target.exists():
                progress(f"{name}: {target} does not match its checksums, making it again")
            with self._staging(name) as staging:
                facts = fill(staging)
                _seal(staging, facts)
                if target.exists():
                    target.rename(self._partial(name) / "unsound")
                staging.rename(target)
                _sync(self.root)
            for abandoned in self.root.glob(f".{name}-*.partial"):
                shutil.rmtree(abandoned)
        return Sealed(target, facts, fresh=True)

    def _sound(self, folder: Path) -> Facts | None:
        try:
            manifest = json.loads((folder / MANIFEST).read_text())
            files: dict[str, str] = manifest["sha256"]
            facts: Facts = manifest["facts"]
            matching = all(_digest_of(folder / file) == digest for file, digest in files.items())
        except (OSError, ValueError, KeyError):
            return None
        return facts if matching and _files(folder) == set(files) else None

    def _partial(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".partial", dir=self.root))

    @contextlib.contextmanager
    def _staging(self, name: str) -> Iterator[Path]:
        holder = self._partial(name)
        staging = holder / "content"
        staging.mkdir()
        try:
            yield staging
        finally:
            shutil.rmtree(holder)

    @contextlib.contextmanager
    def _lock(self, name: str, progress: Progress) -> Iterator[None]:
        path = self.root / f"{name}.lock"
        started = reported = time.monotonic()
        with path.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    now = time.monotonic()
                    if now - started > LOCK_DEADLINE:
                        raise ToolchainError(
                            f"{name}: another run has held {path} for {LOCK_DEADLINE / 60:.0f} "
                            f"minutes. Find it with `fuser {path}`, end it and start again"
                        ) from None
                    if now == started or now - reported >= _LOCK_REPORT:
                        reported = now
                        progress(f"{name}: waiting for another run that is making it")
                    time.sleep(_LOCK_POLL)
            yield


def _files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in found} - {MANIFEST}


def _seal(folder: Path, facts: Facts) -> None:
    """Write the manifest and bring every byte to disk, so that a power cut cannot publish holes."""
    files = sorted(_files(folder))
    for file in files:
        _sync(folder / file)
    digests = {file: _digest_of(folder / file) for file in files}
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"facts": dict(facts), "sha256": digests}, indent=2) + "\n")
    _sync(manifest)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest_of(path: Path) -> str:
    stat = path.stat()
    return _digest(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))


@lru_cache(maxsize=4096)
def _digest(path: Path, _fingerprint: tuple[int, ...]) -> str:
    """SHA-256 of the file, once a process as long as the inode tells of no change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
