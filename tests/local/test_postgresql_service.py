"""The real PostgreSQL on loopback: TLS only, what Vault's role can do and undo, crashes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.node.forwards import free_port
from local.paths import Instance
from local.services import postgresql, postgresql_setup
from local.services.direct_node import DirectNode

pytestmark = pytest.mark.e2e

LOGIN = "v-fake-reader"
LOGIN_PASSWORD = "fake-password-of-a-reader"


def statements(heading: str) -> list[str]:
    """The SQL that the module's documentation gives, filled in as Vault does."""
    text = (postgresql_setup.__doc__ or "").split(heading, 1)[1]
    block = [line.strip() for line in text.split("\n\n", 2)[1].splitlines()]
    values = {
        "{{name}}": LOGIN,
        "{{password}}": LOGIN_PASSWORD,
        "{{expiration}}": "2099-01-01 00:00:00+00",
    }
    for placeholder, value in values.items():
        block = [line.replace(placeholder, value) for line in block]
    assert all(line.endswith(";") for line in block)
    return block


@dataclass
class Running:
    """A started service with the fake node that runs it."""

    node: DirectNode
    instance: Instance
    service: postgresql.PostgresService

    def connect(self, user: str, password: str, **options: Any) -> psycopg.Connection[Any]:
        settings: dict[str, Any] = {
            "host": self.service.host,
            "port": self.service.port,
            "dbname": "mlflow",
            "sslmode": "verify-full",
            "sslrootcert": str(self.service.ca_file),
            "connect_timeout": 5,
            **options,
        }
        return psycopg.connect(user=user, password=password, autocommit=True, **settings)

    def vault(self) -> psycopg.Connection[Any]:
        return self.connect("vault", self.service.vault_password_file.read_text())

    def as_vault(self, queries: list[str]) -> None:
        with self.vault() as connection:
            for query in queries:
                connection.execute(query.encode())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        instance = Instance("test-pg")
        node = DirectNode(instance.logs)
        try:
            service = postgresql.start(node, instance, port=free_port())
            yield Running(node, instance, service)
        finally:
            postgresql.stop(node, instance)


@pytest.fixture
def reader(running: Running) -> Iterator[psycopg.Connection[Any]]:
    running.as_vault(statements("that reads:"))
    with running.connect(LOGIN, LOGIN_PASSWORD) as connection:
        yield connection
    running.as_vault(statements("its revocation:"))


def test_a_login_made_by_vault_reads_and_does_nothing_else(
    reader: psycopg.Connection[Any],
) -> None:
    assert reader.execute("SELECT count(*) FROM experiments").fetchone() == (0,)
    for forbidden in (
        "INSERT INTO experiments (name) VALUES ('fake')",
        "DELETE FROM runs",
        "CREATE TABLE mine ()",
        "CREATE ROLE another",
        "DROP TABLE runs",
        "GRANT SELECT ON runs TO PUBLIC",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.Warning)):
            _run(reader, forbidden)


def _run(connection: psycopg.Connection[Any], query: str) -> None:
    """GRANT without the right to is only a warning in PostgreSQL; here it is an error."""
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.sqlstate or ""))
    connection.execute(query.encode())
    if notices:
        raise psycopg.Warning(notices)


def test_revocation_leaves_nothing_and_ends_open_sessions(running: Running) -> None:
    running.as_vault(statements("that reads:"))
    session = running.connect(LOGIN, LOGIN_PASSWORD)
    running.as_vault(statements("its revocation:"))
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        running.connect(LOGIN, LOGIN_PASSWORD)
    with running.service.connect_as_admin() as admin:
        roles = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (LOGIN,)).fetchall()
        grants = admin.execute(
            "SELECT relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'"
        ).fetchall()
    assert roles == []
    assert not any(LOGIN in str(acl) for (acl,) in grants)


def test_vault_can_pass_on_tables_that_are_made_later(running: Running) -> None:
    with running.service.connect_as_admin() as admin:
        admin.execute("SET ROLE mlflow_owner")
        admin.execute("CREATE TABLE later (id bigint)")
        running.as_vault(statements("that reads:"))
        try:
            with running.connect(LOGIN, LOGIN_PASSWORD) as connection:
                assert connection.execute("SELECT * FROM later").fetchall() == []
        finally:
            running.as_vault(statements("its revocation:"))
            admin.execute("DROP TABLE later")


def test_vault_is_no_superuser_and_cannot_touch_the_tables_themselves(running: Running) -> None:
    with running.vault() as connection:
        for forbidden in (
            "DROP TABLE runs",
            "ALTER TABLE runs ADD COLUMN a int",
            "CREATE ROLE boss SUPERUSER",
            "CREATE DATABASE another",
            "ALTER ROLE strongroom_admin PASSWORD 'fake'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden.encode())


def test_plain_text_is_refused(running: Running) -> None:
    password = running.service.vault_password_file.read_text()
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        running.connect("vault", password, sslmode="disable")


def test_the_certificate_is_for_the_names_that_clients_use(running: Running) -> None:
    password = running.service.vault_password_file.read_text()
    address = {"hostaddr": "127.0.0.1"}
    running.connect("vault", password, host="postgresql.mlflow.svc", **address).close()
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        running.connect("vault", password, host="elsewhere.example", **address)


def test_checksums_and_scram_are_on_and_passwords_are_private(running: Running) -> None:
    with running.service.connect_as_admin() as admin:
        assert admin.execute("SHOW data_checksums").fetchone() == ("on",)
        verifier = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'vault'")
        assert str(verifier.fetchone()).startswith("('SCRAM-SHA-256$")
    folder = running.service.ca_file.parent
    for name in ("admin.password", "vault.password", "ca.key", "cluster/server.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert not (folder / "cluster" / "initial-password").exists()
    log = (running.instance.logs / "postgresql.log").read_text()
    for name in ("admin.password", "vault.password"):
        password = (folder / name).read_text()
        assert password not in log
        argv = Path(f"/proc/{running.node.started['postgresql'].pid}/cmdline").read_text()
        assert password not in argv


def test_starting_again_changes_nothing_and_a_crash_loses_nothing(running: Running) -> None:
    port = running.service.port
    pid = running.node.started["postgresql"].pid
    with running.vault() as connection:
        connection.execute("INSERT INTO experiments (name) VALUES ('before the crash')")
        connection.execute("ALTER ROLE vault PASSWORD 'fake-rotated-password'")
    assert postgresql.start(running.node, running.instance, port=port) == running.service
    assert running.node.started["postgresql"].pid == pid
    running.node.kill("postgresql")
    pid_file = running.service.ca_file.parent / "cluster/data/postmaster.pid"
    left = pid_file.read_text().split("\n", 1)
    pid_file.write_text("\n".join(["1", *left[1:]]))  # the pid was given to somebody else
    assert postgresql.start(running.node, running.instance, port=port) == running.service
    with running.connect("vault", "fake-rotated-password") as connection:
        found = connection.execute("DELETE FROM experiments RETURNING name").fetchall()
        assert found == [("before the crash",)]
        password = running.service.vault_password_file.read_text()
        connection.execute(f"ALTER ROLE vault PASSWORD '{password}'".encode())


def test_rights_go_to_the_owner_once_rotations_have_begun(running: Running) -> None:
    """A right of one login alone would be lost when the other takes its turn."""
    with running.service.connect_as_admin() as admin:
        admin.execute("CREATE ROLE mlflow_application NOLOGIN")
        admin.execute("DROP OWNED BY mlflow")
        postgresql.start(running.node, running.instance, port=running.service.port)
        granted = admin.execute(
            "SELECT DISTINCT grantee FROM information_schema.role_table_grants "
            "WHERE grantee LIKE 'mlflow%' AND grantee <> 'mlflow_owner'"
        ).fetchall()
        assert granted == [("mlflow_application",)]
        admin.execute("DROP OWNED BY mlflow_application")
        admin.execute("DROP ROLE mlflow_application")
    postgresql.start(running.node, running.instance, port=running.service.port)


def test_a_new_vault_gets_the_first_passwords_again(running: Running) -> None:
    with running.vault() as connection:
        connection.execute("ALTER ROLE vault PASSWORD 'fake-password-of-a-lost-vault'")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        running.vault()
    with running.service.connect_as_admin() as admin:
        admin.execute("ALTER ROLE mlflow PASSWORD 'fake-password-of-a-rotation'")
    postgresql.start(running.node, running.instance, port=running.service.port, new_vault=True)
    running.vault().close()
    password = running.service.application_password_file.read_text()
    with running.connect("mlflow", password) as connection:
        connection.execute("SELECT count(*) FROM experiments")
