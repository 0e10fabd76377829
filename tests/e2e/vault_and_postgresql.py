"""A Vault and a PostgreSQL, both real, as plain processes on loopback; Vault is a dev server.

Owns starting and stopping them, and what a test asks of the database itself.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import psycopg
from psycopg import sql

from local import toolchain
from local.node.forwards import free_port
from local.paths import Instance
from local.services import postgresql
from local.services.postgresql import PostgresService
from tests.local.direct_node import DirectNode
from vaultops.policies import deployer_policy


@dataclass(frozen=True)
class Servers:
    """A Vault and a PostgreSQL, with the log that shows each statement of the latter."""

    vault: hvac.Client
    database: PostgresService
    database_log: Path
    folder: Path

    def login(self, user: str, password: str) -> psycopg.Connection[Any]:
        """A connection to the database, or psycopg.OperationalError."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.database.host_port,
            dbname="mlflow",
            user=user,
            password=password,
            sslmode="verify-full",
            sslrootcert=str(self.database.ca_file),
            connect_timeout=5,
            autocommit=True,
        )

    def set_password(self, user: str, password: str) -> None:
        """What the database's administrator does by hand."""
        with self.database.connect_as_admin() as admin:
            change = sql.SQL("ALTER ROLE {} PASSWORD {}")
            admin.execute(change.format(sql.Identifier(user), sql.Literal(password)))

    def refuses(self, user: str, password: str) -> bool:
        try:
            self.login(user, password).close()
        except psycopg.OperationalError as error:
            return "authentication failed" in str(error)
        return False

    def verifier(self, user: str) -> str:
        """The password as the server keeps it: it differs after each change."""
        with self.database.connect_as_admin() as admin:
            row = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (user,))
            found = row.fetchone()
        assert found
        return str(found[0])

    def made_logins(self) -> list[str]:
        with self.database.connect_as_admin() as admin:
            rows = admin.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'v-')")
            return [str(row[0]) for row in rows]


@contextmanager
def running(instance: Instance, folder: Path) -> Iterator[Servers]:
    """Both servers until the end of the block; the deployer's token lies in `folder`/token."""
    node = DirectNode(instance.logs)
    server, client = _start_vault(folder)
    try:
        database = postgresql.start(node, instance, port=free_port())
        with database.connect_as_admin() as admin:
            admin.execute("CREATE ROLE tracking LOGIN PASSWORD 'fake-password-of-a-user'")
        yield Servers(client, database, instance.logs / f"{postgresql.NAME}.log", folder)
    finally:
        server.terminate()
        server.wait(20)
        postgresql.stop(node, instance)


def _start_vault(folder: Path) -> tuple[subprocess.Popen[bytes], hvac.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    root = secrets.token_hex(16)
    with (folder / "vault.log").open("wb") as log:
        server = subprocess.Popen(
            [toolchain.ensure(["vault"])["vault"], "server", "-dev", "-dev-no-store-token"],
            env={
                "VAULT_DEV_LISTEN_ADDRESS": address,
                "VAULT_DEV_ROOT_TOKEN_ID": root,
                "HOME": str(folder),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    client = hvac.Client(url=f"http://{address}", token=root)
    deadline = time.monotonic() + 30
    while not _answers(client):
        assert time.monotonic() < deadline, "the dev Vault did not answer within 30 s"
        assert server.poll() is None, (folder / "vault.log").read_text()
        time.sleep(0.1)
    client.sys.create_or_update_policy("deployer", deployer_policy())
    made = client.auth.token.create(policies=["deployer"], no_default_policy=True, ttl="1h")
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(made["auth"]["client_token"])
    return server, client


def _answers(client: hvac.Client) -> bool:
    try:
        return bool(client.sys.is_initialized() and not client.sys.is_sealed())
    except OSError:
        return False
