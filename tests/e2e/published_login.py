"""A client that never rests: it logs in 50 times a second by the login that is published."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from local.services.postgresql import PostgresService

EVERY = 1 / 50
WORKERS = 4  # a login takes longer than a fiftieth of a second on a busy machine
READ_EVERY = 0.1
Login = dict[str, Any]


@dataclass
class Seen:
    """What the client saw. `failures` name the user, never a password."""

    logins: int = 0
    failures: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def rate(self) -> float:
        """Logins a second."""
        return self.logins / self.seconds


def connect(database: PostgresService, login: Login, **changes: Any) -> psycopg.Connection[Any]:
    """A session by `login`, from this machine and not from where pods reach the server."""
    return psycopg.connect(
        **{
            "host": "127.0.0.1",
            "port": database.host_port,
            "dbname": login["dbname"],
            "user": login["username"],
            "password": login["password"],
            "sslmode": "verify-full",
            "sslrootcert": str(database.ca_file),
            "connect_timeout": 10,
            **changes,
        }
    )


@contextmanager
def reconnecting(database: PostgresService, published: Callable[[], Login]) -> Iterator[Seen]:
    """Log in until the block ends; `published` is asked ten times a second, like a watched file."""
    first = published()
    seen, known, ended = Seen(users=[first["username"]]), {"login": first}, threading.Event()
    began, turns, counting = time.monotonic(), itertools.count(), threading.Lock()

    def read() -> None:
        while not ended.wait(READ_EVERY):
            known["login"] = published()
            if seen.users[-1] != known["login"]["username"]:
                seen.users.append(known["login"]["username"])

    def log_in() -> None:
        while not ended.wait(max(0.0, began + next(turns) * EVERY - time.monotonic())):
            login, failure = known["login"], None
            try:
                connect(database, login).close()
            except psycopg.OperationalError as refused:
                failure = f"{login['username']}: {refused}"
            with counting:
                seen.logins += 1
                seen.failures += [failure] if failure else []
                seen.seconds = time.monotonic() - began

    threads = [threading.Thread(target=work) for work in (read, *[log_in] * WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
