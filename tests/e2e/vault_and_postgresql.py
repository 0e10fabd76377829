"""A Vault and a PostgreSQL, both real, as plain processes on loopback; Vault is a dev server.

Owns starting and stopping them, and what a test asks of the database itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import psycopg
from psycopg import sql

from local.node.forwards import free_port
from local.paths import Instance
from local.services import dev_vault, postgresql
from local.services.direct_node import DirectNode
from local.services.postgresql import PostgresService
from local.services.postgresql_setup import VAULT, let_change
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
    with dev_vault.running(folder) as client:
        client.sys.create_or_update_policy("deployer", deployer_policy())
        made = client.auth.token.create(policies=["deployer"], no_default_policy=True, ttl="1h")
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text(made["auth"]["client_token"])
        try:
            database = postgresql.start(node, instance, port=free_port())
            with database.connect_as_admin() as admin:
                admin.execute("CREATE ROLE tracking LOGIN PASSWORD 'fake-password-of-a-user'")
                let_change(admin, VAULT, "tracking")
            log = instance.logs / f"{postgresql.NAME}.log"
            yield Servers(client, database, log, folder)
        finally:
            postgresql.stop(node, instance)
