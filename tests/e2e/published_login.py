"""A client that never rests: it logs in 50 times a second by the login that is published."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from local.services.postgresql import PostgresService

EVERY = 1 / 50
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
    seen, known, ended = Seen(), {"login": published()}, threading.Event()

    def read() -> None:
        while not ended.wait(READ_EVERY):
            known["login"] = published()

    def log_in() -> None:
        began = due = time.monotonic()
        while not ended.is_set():
            login = known["login"]
            try:
                connect(database, login).close()
            except psycopg.OperationalError as refused:
                seen.failures.append(f"{login['username']}: {refused}")
            seen.logins += 1
            if seen.users[-1:] != [login["username"]]:
                seen.users.append(login["username"])
            seen.seconds = time.monotonic() - began
            due += EVERY
            time.sleep(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=work, name=work.__name__) for work in (read, log_in)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
