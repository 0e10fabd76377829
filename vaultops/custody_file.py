"""A 0600 file as custodian: for one machine, or as the place of PGP-wrapped shares.

Owns durable writing: a new file is complete and on disk before it takes the old one's name.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vaultops.custody import InitRecord, now
from vaultops.errors import VaultOpsError

_ROOM = 64 * 1024  # bytes; ten shares wrapped for 4096-bit keys are 12 KiB


def write_private(path: Path, text: str) -> None:
    """Replace `path` at once by a 0600 file with `text`, on disk when this returns.

    Raises OSError. A crash leaves the old file or the new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Prove that `path` could be written, with a record in it. Raises VaultOpsError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as file:
            file.write(bytes(_ROOM))  # a full disk takes an empty file
            file.flush()
            os.fsync(file.fileno())
    except OSError as reason:
        raise VaultOpsError(
            "the custodian's file cannot be written; Vault was not initialised",
            where=f"strongroom:vault custodian.path: {path}",
            why=str(reason),
            fix="name a path in a folder that you may write, on a disk with room",
        ) from None


def archive(path: Path) -> None:
    """Move an existing record out of the way, to a name with a timestamp."""
    if path.exists():
        path.rename(path.with_name(f"{path.stem}.{now()}{path.suffix}"))


def read_record(path: Path) -> InitRecord | None:
    """The record in `path`, None without a file. Raises VaultOpsError when it cannot be read."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise VaultOpsError(
            "the custodian's file cannot be read",
            where=str(path),
            why=str(reason),
            fix="let your user read it; do not delete it while Vault holds data",
        ) from None
    return InitRecord.read(text, str(path))


@dataclass(frozen=True)
class FileCustodian:
    """Shares and, until it is revoked, the root token in clear in one 0600 file."""

    path: Path
    pgp_keys: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The file's path."""
        return f"file {self.path}"

    def check(self) -> None:
        """Prove that the folder can be written."""
        check_writable(self.path)

    def load(self) -> InitRecord | None:
        """The record, None without a file."""
        return read_record(self.path)

    def store(self, record: InitRecord) -> None:
        """Write a new record; an older one is renamed."""
        archive(self.path)
        write_private(self.path, record.to_json())

    def drop_root_token(self) -> None:
        """Rewrite the record without the root token."""
        record = self.load()
        if record and record.root_token:
            write_private(self.path, record.without_root_token().to_json())
