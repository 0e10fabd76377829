"""Where records and event lines are kept: in Vault's KV engine, under one path of their own.

Owns the paths. Why there: the rotator runs in pods that keep nothing, needs Vault anyway, and gets
check-and-set, encryption, replication, snapshots and an audit trail with it. An event is a secret
of its own that is only ever created: with the rotator's policy (no `update` below `events/`)
nobody can rewrite one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rotation import vault
from rotation.record import Conflict, Record
from rotation.vault import Clients
from vaultops.errors import DeniedError, DoubtError

PREFIX = "secret/strongroom/rotation"
RECORDS = f"{PREFIX}/records"
EVENTS = f"{PREFIX}/events"
_DIGITS = 8


@dataclass(frozen=True)
class VaultRecords:
    """One secret for each rotation, replaced by check-and-set."""

    clients: Clients

    def load(self, rotation: str) -> tuple[Record | None, int]:
        """The record and its version. Raises VaultOpsError."""
        path = f"{RECORDS}/{rotation}"
        values, version = vault.read_secret(self.clients, path)
        if values is None:
            return None, version
        return Record.read(str(values.get("record")), where=path), version

    def save(self, record: Record, version: int) -> int:
        """Replace exactly `version`. Raises Conflict, VaultOpsError."""
        path = f"{RECORDS}/{record.rotation}"
        return vault.write_secret(self.clients, path, {"record": record.text()}, version)


@dataclass(frozen=True)
class VaultEventLog:
    """One secret for each line, numbered from 1."""

    clients: Clients

    def count(self) -> int:
        """The newest line's number, 0 without one."""
        mount, _, rest = EVENTS.partition("/")
        found = vault.names(self.clients, f"{mount}/metadata/{rest}")
        return max((int(name) for name in found if name.isdigit()), default=0)

    def line(self, number: int) -> str | None:
        """The line of that number; None when it is gone."""
        values, _ = vault.read_secret(self.clients, _path(number))
        return None if values is None else str(values.get("line"))

    def lines(self) -> Iterator[str | None]:
        """Every line from the first, over one connection; None where one is gone."""
        newest = self.count()
        with self.clients() as client:
            for number in range(1, newest + 1):
                values, _ = vault.secret_of(client, _path(number))
                yield None if values is None else str(values.get("line"))

    def add(self, number: int, line: str) -> None:
        """Write a new line. Raises Conflict when there is one of that number already."""
        try:
            vault.write_secret(self.clients, _path(number), {"line": line}, 0)
        except DeniedError:
            # Without `update` Vault refuses a path that exists before it compares versions.
            if self.line(number) is None:
                raise
            raise Conflict(_path(number)) from None


def _path(number: int) -> str:
    if number >= 10**_DIGITS:
        raise DoubtError(
            "the event log is full",
            where=EVENTS,
            why=f"line {number} has more than {_DIGITS} digits",
            fix="export it (`strongroom rotate events`) and start another",
        )
    return f"{EVENTS}/{number:0{_DIGITS}d}"
