"""Sealed files: found, read, written, and asked which certificate they were sealed for.

Owns two annotations. A sealed value does not say which key it was made with, so `seal` and `rotate`
note the certificate beside it, together with a digest of the values: a file that somebody changed
by other means does not pass for what it was. Neither annotation reaches the Secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from sealing.documents import parse
from vaultops.errors import VaultOpsError

KIND = "SealedSecret"
SEALED_WITH = "strongroom.dev/sealed-with"
SEALED_DIGEST = "strongroom.dev/sealed-digest"
SUFFIXES = (".yaml", ".yml", ".json")

Document = dict[str, Any]


class State(StrEnum):
    """How a sealed document stands to the current certificate."""

    CURRENT = "current"
    OLD = "old key"
    CHANGED = "changed since it was noted"
    UNKNOWN = "no note of its key"


@dataclass(frozen=True)
class SealedFile:
    """A file and every YAML document in it; at least one is a SealedSecret."""

    path: Path
    documents: tuple[Document, ...]

    @property
    def sealed(self) -> tuple[Document, ...]:
        """The SealedSecrets among the documents."""
        return tuple(document for document in self.documents if is_sealed(document))


def is_sealed(document: Any) -> bool:
    """Whether it is a SealedSecret."""
    return isinstance(document, dict) and document.get("kind") == KIND


def name_of(document: Document) -> str:
    """`namespace/name`."""
    metadata = document.get("metadata") or {}
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"


def load(text: str, *, source: str) -> tuple[Document, ...]:
    """Every document in YAML or JSON text. Raises VaultOpsError without repeating any of it."""
    try:
        documents = tuple(parse(text))
    except ValueError as error:
        raise VaultOpsError(
            str(error), where=source, why="it cannot be parsed", fix="correct the file"
        ) from None
    if any(not isinstance(document, dict) for document in documents):
        raise VaultOpsError(
            "not a Kubernetes object",
            where=source,
            why="a document in it is no mapping",
            fix="give manifests only",
        )
    return documents


def find(paths: Iterable[Path]) -> Iterator[SealedFile]:
    """Every sealed file among `paths` and below them, in order.

    Of the files found in folders only those that speak of a SealedSecret are parsed. Raises
    VaultOpsError for a name that is no file, and for what cannot be parsed.
    """
    for path in paths:
        if path.is_dir():
            for below in sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file()):
                if KIND in (text := below.read_text(errors="replace")):
                    yield from _sealed_file(below, text)
        elif path.is_file():
            yield from _sealed_file(path, _text(path))
        else:
            raise VaultOpsError(
                "no such file", where=str(path), why="there is nothing to read", fix="name another"
            )


def state(document: Document, current: str) -> State:
    """How `document` stands to the certificate with the fingerprint `current`."""
    notes = _annotations(document)
    if SEALED_WITH not in notes:
        return State.UNKNOWN
    if notes.get(SEALED_DIGEST) != digest(document):
        return State.CHANGED
    return State.CURRENT if notes[SEALED_WITH] == current else State.OLD


def digest(document: Document) -> str:
    """SHA-256 of the sealed values, independent of their order and of the file's format."""
    values = (document.get("spec") or {}).get("encryptedData") or {}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def noted(document: Document, fingerprint: str) -> Document:
    """`document` with the note that it was sealed for the certificate of that fingerprint."""
    notes = {**_annotations(document), SEALED_WITH: fingerprint, SEALED_DIGEST: digest(document)}
    return {**document, "metadata": {**(document.get("metadata") or {}), "annotations": notes}}


def without_note(document: Document) -> Document:
    """`document` as other tools know it."""
    notes = {
        key: value
        for key, value in _annotations(document).items()
        if key not in (SEALED_WITH, SEALED_DIGEST)
    }
    metadata = {k: v for k, v in (document.get("metadata") or {}).items() if k != "annotations"}
    if notes:
        metadata["annotations"] = notes
    return {**document, "metadata": metadata}


def dump(documents: Iterable[Document], *, as_json: bool = False) -> str:
    """Documents as text: YAML, or JSON for a single one."""
    listed = list(documents)
    if as_json and len(listed) == 1:
        return json.dumps(listed[0], indent=2) + "\n"
    text: str = yaml.safe_dump_all(listed, sort_keys=False, explicit_start=True)
    return text


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put `text` in the place of `path`, whole or not at all; a new file gets `mode`.

    Raises VaultOpsError when it cannot be written.
    """
    try:
        _write(path, text, mode)
    except OSError as reason:
        raise VaultOpsError(
            "the file cannot be written",
            where=str(path),
            why=reason.strerror or type(reason).__name__,
            fix="name a file in a folder that exists and that you may write to",
        ) from None


def _write(path: Path, text: str, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(temporary).chmod(path.stat().st_mode if path.exists() else mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as reason:
        why = getattr(reason, "strerror", None) or "it is no text"
        raise VaultOpsError(
            "the file cannot be read", where=str(path), why=why, fix="name another"
        ) from None


def _sealed_file(path: Path, text: str) -> Iterator[SealedFile]:
    found = SealedFile(path, load(text, source=str(path)))
    if found.sealed:
        yield found


def _annotations(document: Document) -> dict[str, str]:
    return dict((document.get("metadata") or {}).get("annotations") or {})
