"""The record of a rotation: how far it is, so that whoever comes next goes on from there.

Owns its form. It holds names, times and ids, never a value. Where records are kept is `ledger`'s.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

from rotation import holder
from rotation.schedule import DAY
from rotation.steps import Facts
from vaultops.errors import VaultOpsError

LONGEST_LEASE = DAY  # one that ends later was written by a clock that was wrong


class DamagedError(VaultOpsError):
    """A record that this program did not write."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The error that ended a step, as it was told, and when."""

    what: str
    where: str
    why: str
    fix: str
    at: float


@dataclass(frozen=True, kw_only=True)
class Record:
    """One run of one rotation; times are seconds since the epoch.

    `step` is the one in progress since `since`. `holder` works on it until `until`; afterwards
    anybody may go on. `waiting` and `failure` say why the last runner left it.
    """

    rotation: str
    kind: str
    run: str
    started: float
    step: str
    since: float
    facts: Facts = field(default_factory=dict)
    holder: str = ""
    until: float = 0
    waiting: str = ""
    failure: Failure | None = None
    finished: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether steps are left."""
        return self.finished is None

    def is_held(self, now: float) -> bool:
        """Whether somebody works on it."""
        return now < self.until <= now + LONGEST_LEASE and not holder.is_gone(self.holder)

    def released(self, *, waiting: str = "", failure: Failure | None = None) -> Record:
        """The same, worked on by nobody."""
        return replace(self, holder="", until=0, waiting=waiting, failure=failure)

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, text: str, *, where: str) -> Record:
        """Raises DamagedError for anything that `text` did not write."""
        try:
            values = json.loads(text)
            failure = values.pop("failure")
            return cls(**values, failure=Failure(**failure) if failure else None)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise DamagedError(
                "the record of a rotation cannot be read",
                where=where,
                why="it was not written by this program, or by a newer one",
                fix="update; or see docs/runbooks/rotation.md, 'A record is damaged'",
            ) from None


class Conflict(Exception):
    """Somebody else wrote first."""


class Records(Protocol):
    """Where records are kept, with check-and-set."""

    def load(self, rotation: str) -> tuple[Record | None, int]:
        """The record and its version; (None, version) before the first. Raises DamagedError."""

    def save(self, record: Record, version: int) -> int:
        """Replace exactly that version, and return the new one. Raises Conflict."""
