"""PostgreSQL, the real server, in the node's network namespace.

Owns starting, stopping and waiting. Files are in `postgresql_cluster`, roles and SQL in
`postgresql_setup`. The server listens on TCP alone, speaks TLS alone, and a crash costs nothing
that was committed.
"""

from __future__ import annotations

import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from local.files import write_private
from local.paths import Instance
from local.services.host import ServiceError, ServiceHost, tail
from local.services.postgresql_cluster import Cluster
from local.services.postgresql_setup import (
    APPLICATION,
    DATABASE,
    VAULT,
    make_roles_and_database,
    make_schema,
)

NAME = "postgresql"
PORT = 5432
ADMIN = "strongroom_admin"
DNS_NAMES = (
    "localhost",
    "postgres.strongroom.local",
    "postgresql.mlflow.svc",
    "postgresql.mlflow.svc.cluster.local",
)


@dataclass(frozen=True)
class PostgresService:
    """Where the server answers and where its credentials lie (each file 0600, no newline).

    Pods use `host` and `port`, programs of this machine 127.0.0.1 and `host_port`; both, and
    the names in `DNS_NAMES`, pass `sslmode=verify-full` against `ca_file`. The passwords of Vault's
    user and the application's are the first ones only: they are rotated.
    """

    host: str
    port: int
    host_port: int
    ca_file: Path
    admin_password_file: Path
    vault_password_file: Path
    application_password_file: Path
    admin_user: str = ADMIN
    vault_user: str = VAULT
    application_user: str = APPLICATION
    database: str = DATABASE

    def connect_as_admin(self, database: str = DATABASE) -> psycopg.Connection[Any]:
        """A superuser's connection from this machine, in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.host_port,
            dbname=database,
            user=self.admin_user,
            password=self.admin_password_file.read_text(),
            sslmode="verify-full",
            sslrootcert=str(self.ca_file),
            connect_timeout=5,
            autocommit=True,
        )


def start(
    node: ServiceHost,
    instance: Instance,
    *,
    port: int = PORT,
    timeout: float = 60,
    new_vault: bool = False,
) -> PostgresService:
    """Run the server, wait until it answers, make roles and database; again is harmless.

    `timeout` is in seconds. With `new_vault` users get their first passwords again, because the
    Vault before has rotated them. Raises ServiceError when it cannot be made or does not answer
    in time.
    """
    cluster = _cluster(node, instance)
    cluster.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    admin_password = _password(cluster.folder / "admin.password")
    vault_password = _password(cluster.folder / "vault.password")
    application_password = _password(cluster.folder / "application.password")
    addresses = sorted({node.node_ip, "127.0.0.1", *DNS_NAMES})
    cluster.prepare(addresses, admin_password.read_text())
    service = PostgresService(
        host=node.node_ip,
        port=port,
        host_port=node.forward(NAME, 0, node.node_ip, port),
        ca_file=cluster.ca_file,
        admin_password_file=admin_password,
        vault_password_file=vault_password,
        application_password_file=application_password,
    )
    _wait(node, instance, cluster, service, timeout)
    with service.connect_as_admin("postgres") as connection:
        connection.execute("SELECT pg_reload_conf()")  # a renewed certificate, changed rules
        make_roles_and_database(
            connection,
            vault_password.read_text(),
            application_password.read_text(),
            new_vault=new_vault,
        )
    with service.connect_as_admin() as connection:
        make_schema(connection)
    return service


def stop(node: ServiceHost, instance: Instance) -> None:
    """End the server: open sessions are cut, committed work is on disk. The data stays."""
    cluster = _cluster(node, instance)
    if (cluster.data / "postmaster.pid").exists():
        # A plain SIGTERM would wait for clients to leave.
        argv = cluster.confined("pg_ctl", "stop", "--mode=fast", "-D", cluster.seen("data"))
        subprocess.run(argv, capture_output=True, check=False, cwd="/", timeout=90)
    node.stop_service(NAME)


def _cluster(node: ServiceHost, instance: Instance) -> Cluster:
    return Cluster(instance.state_dir / NAME, ADMIN, node.node_ip)


def _argv(cluster: Cluster, port: int) -> list[str]:
    settings = {
        "listen_addresses": cluster.node_ip,
        "port": str(port),
        "unix_socket_directories": "",
        "hba_file": cluster.seen("pg_hba.conf"),
        "password_encryption": "scram-sha-256",
        "ssl": "on",
        "ssl_cert_file": cluster.seen("server.crt"),
        "ssl_key_file": cluster.seen("server.key"),
        "ssl_min_protocol_version": "TLSv1.2",
        "shared_buffers": "32MB",
        "max_connections": "60",
        "log_connections": "on",
        # A failing CREATE ROLE would put the password it sets into the log.
        "log_min_error_statement": "panic",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return cluster.confined("postgres", "-D", cluster.seen("data"), *options)


def _wait(
    node: ServiceHost,
    instance: Instance,
    cluster: Cluster,
    service: PostgresService,
    seconds: float,
) -> None:
    """Start the server, and again while the remains of a killed one hold its memory."""
    argv = _argv(cluster, service.port)
    deadline = time.monotonic() + seconds
    while True:
        node.run_service(NAME, argv)
        try:
            service.connect_as_admin("postgres").close()
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                log = instance.logs / f"{NAME}.log"
                raise ServiceError(
                    f"PostgreSQL did not answer on 127.0.0.1:{service.host_port} within "
                    f"{seconds:.0f} s: {str(error).strip()}; the end of {log}:\n{tail(log)}"
                ) from error
            time.sleep(0.2)
        else:
            return


def _password(path: Path) -> Path:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24).encode())
    return path
