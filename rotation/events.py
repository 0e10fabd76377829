"""Our own event lines: who rotated what, when, step by step; signed and chained.

Vault's audit log leaves out the rotations that Vault does by itself (hashicorp/vault#21751) and
knows nothing of AWS or of pods that moved. Owns the line's form, its signature (Ed25519) and the
check of a whole log. A line is one JSON object with sorted keys; `previous` is the SHA-256 of the
line before as it was written, `signature` (by version `key` of the key) covers everything else. No
line holds a value.

At least once: a runner that was killed after a line and before its record writes the line again.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from rotation.record import Conflict
from rotation.steps import Facts

FIRST = "0" * 64  # what the first line names as the line before
_ATTEMPTS = 20


class Happened(StrEnum):
    """What a line tells."""

    BEGAN = "began"
    STEP_DONE = "step-done"
    WAITS = "waits"
    FAILED = "failed"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line's content. `time` is RFC 3339 in UTC, as in Vault's audit log; `by` is the process.

    `why` is what a waiting or failed step said.
    """

    time: str
    event: Happened
    rotation: str
    kind: str
    subject: str
    run: str
    step: str = ""
    facts: Facts = field(default_factory=dict)
    why: str = ""
    by: str = ""


class Signer(Protocol):
    """Signs with a key that has numbered versions."""

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """The key version's number and the raw Ed25519 signature."""


class EventLog(Protocol):
    """Where lines are kept: numbered from 1, never changed."""

    def count(self) -> int:
        """The newest line's number, 0 without one."""

    def line(self, number: int) -> str | None:
        """The line of that number; None when it is gone."""

    def add(self, number: int, line: str) -> None:
        """Write a new line. Raises Conflict when there is one of that number already."""


def at(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def append(log: EventLog, signer: Signer, event: Event) -> int:
    """Write the event as the next line, and return its number; writers may work side by side."""
    for _ in range(_ATTEMPTS):
        number = log.count()
        previous = FIRST if number == 0 else digest(log.line(number) or "")
        body = {**asdict(event), "number": number + 1, "previous": previous}
        key, signature = signer.sign(_canonical(body))
        signed = {**body, "key": key, "signature": base64.b64encode(signature).decode()}
        try:
            log.add(number + 1, _canonical(signed).decode())
        except Conflict:
            continue
        return number + 1
    raise Conflict("the event log")


def digest(line: str) -> str:
    """What the next line names as the one before."""
    return hashlib.sha256(line.encode()).hexdigest()


def verify(found: Iterable[str | None], keys: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a log, nothing for a whole one.

    `keys` are the raw public keys of each key version. What this cannot see is that the newest
    lines were taken away: compare with the runs that the records name, as `missing_runs` does.
    """
    problems = []
    previous: str | None = FIRST
    for number, line in enumerate(found, 1):
        if line is None:
            problems.append(f"line {number} is gone")
            previous = None
            continue
        problems += [f"line {number} {what}" for what in _wrong(line, number, previous, keys)]
        previous = digest(line)
    return problems


def missing_runs(found: Iterable[str | None], finished: Iterable[str]) -> list[str]:
    """Runs that their records call finished and no line does."""
    told = {
        body.get("run")
        for line in found
        if line and (body := _parsed(line)) and body.get("event") == Happened.FINISHED
    }
    return [f"run {run} has finished, and no line says so" for run in finished if run not in told]


def _wrong(
    line: str, number: int, previous: str | None, keys: Mapping[str, bytes]
) -> Iterator[str]:
    body = _parsed(line)
    if body is None:
        yield "is no event line"
        return
    if body.get("number") != number:
        yield f"calls itself line {body.get('number')}"
    if previous is not None and body.get("previous") != previous:
        yield "does not follow the line before: one of both was changed, added or taken away"
    key = keys.get(str(body.get("key")))
    if key is None:
        yield f"is signed with key version {body.get('key')}, which is not known"
        return
    signed = {name: value for name, value in body.items() if name not in ("key", "signature")}
    try:
        signature = base64.b64decode(str(body.get("signature")))
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _canonical(signed))
    except (InvalidSignature, ValueError):
        yield "was changed: its signature does not fit"


def _parsed(line: str) -> dict[str, object] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _canonical(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
