"""What a file is: whose log, which stream of files it belongs to, and how it is known again.

Owns telling logs apart. A log is known by its first line, which holds a time and a request's id:
renamed, moved or compressed, it stays the same log, and what was read of it is not read again.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from audit import cloudtrail, kubernetes, vault
from audit.errors import AuditError
from audit.schema import Source
from audit.streams import opened, unreadable

KINDS: Mapping[Source, ModuleType] = {
    Source.VAULT: vault,
    Source.CLOUDTRAIL: cloudtrail,
    Source.KUBERNETES: kubernetes,
}
# How much of a file is looked at to find its first whole entry.
_HEAD = 2**20
_DOCUMENTS = {
    Source.CLOUDTRAIL: re.compile(rb'\s*\{\s*"Records"\s*:\s*\['),
    Source.KUBERNETES: re.compile(rb'\s*\{\s*("[^"]+"\s*:[^\[]*)?"kind"\s*:\s*"EventList"'),
}
# audit.log.1, audit.log-20260101, audit-2026-01-01T00-00-00.000.log, each with .gz or .zst or not.
_ROTATED = re.compile(r"[-.]\d{4}-\d\d-\d\d[-T\d.]*(?=\.\w+$)|(?<=[.]log)[-._]\d[-\d.T]*$")
_COMPRESSED = re.compile(r"\.(gz|zst)$")


class ForeignError(AuditError):
    """A file that is no audit log."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """A file that was recognised. `document`: one JSON value with all its records in a list."""

    path: Path
    source: Source
    identity: str
    device: str
    document: bool


def identify(path: Path) -> Log | None:
    """What `path` is; None while nothing whole is in it yet.

    Raises AuditError for a file that cannot be read, ForeignError for one that is no audit log.
    """
    head = _head(path)
    for document, shape in _DOCUMENTS.items():
        if shape.match(head):
            return _log(path, document, hashlib.sha256(head).hexdigest(), document=True)
    lines = head.split(b"\n")
    if len(head) == _HEAD and len(lines) > 1:
        lines.pop()
    if not any(line.strip() for line in lines):
        return None
    source = next(filter(None, map(source_of, lines)), None)
    if source:
        return _log(path, source, hashlib.sha256(lines[0].rstrip()).hexdigest(), document=False)
    if len(lines) == 1 and head.lstrip().startswith(b"{") and len(head) < _HEAD:
        return None
    raise ForeignError(
        "this is no audit log",
        where=str(path),
        why=f"none of its first {len(lines)} lines is an entry of Vault's or OpenBao's audit "
        "devices, of CloudTrail or of the Kubernetes API server",
        fix="name the file that the audit device writes; Vault's server log is another one",
    )


def source_of(line: bytes) -> Source | None:
    """Whose entry a line is; None when it is nobody's."""
    try:
        entry: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(entry, dict):
        return None
    return next((source for source, kind in KINDS.items() if kind.recognises(entry)), None)


def files_of(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """The files that are meant, and whether each was named: folders give what they hold.

    A folder's files come with the oldest first. Raises AuditError for a path that is not there, and
    for a folder that may not be read.
    """
    found: list[tuple[Path, bool]] = []
    for path in paths:
        if path.is_dir():
            found += [(file, False) for file in _below(path)]
        elif path.exists():
            found.append((path, True))
        else:
            raise AuditError(
                "the log is not there",
                where=str(path),
                why="no such file or folder",
                fix="name a file or a folder with audit logs",
            )
    return found


def _below(folder: Path) -> list[Path]:
    def closed(error: OSError) -> None:
        raise unreadable(Path(error.filename), error)

    walked = os.walk(folder, onerror=closed)
    paths = [Path(place, name) for place, _, names in walked for name in names]
    dated = []
    for path in paths:
        # What is gone again was rotated, and comes under its new name the next time.
        with suppress(FileNotFoundError):
            if path.is_file() and not path.name.startswith("."):
                dated.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(dated)]


def device_of(path: Path, source: Source) -> str:
    """The stream of files that `path` is one of: rotation's suffixes are left out."""
    if source is Source.CLOUDTRAIL:
        return source
    name = _COMPRESSED.sub("", path.name)
    return str(path.absolute().with_name(_ROTATED.sub("", name)))


def _log(path: Path, source: Source, identity: str, *, document: bool) -> Log:
    device = device_of(path, source)
    return Log(path=path, source=source, identity=identity, device=device, document=document)


def _head(path: Path) -> bytes:
    buffer = memoryview(bytearray(_HEAD))
    filled = 0
    with opened(path) as stream:
        while filled < _HEAD and (got := stream.readinto(buffer[filled:])):
            filled += got
    return bytes(buffer[:filled])
