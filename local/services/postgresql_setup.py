"""Roles and the database `mlflow`. Owns their SQL; repeating it changes nothing.

Roles: the superuser made by initdb (the platform's, reachable from the node only); `mlflow_owner`
(cannot log in, owns the database and its tables); `vault` (logs in, CREATEROLE, no superuser);
`rotation` (changes passwords in rotations; its own is Vault's to set) and `mlflow` (the login of an
application, which rotations make one of two that take turns).

Why `vault` holds its table privileges WITH GRANT OPTION: CREATEROLE makes and drops roles, but it
passes on no table privilege. Membership in `mlflow_owner` would do that too, and would let Vault
drop the tables. The grants that Vault makes name it as grantor, so it can take back just these,
which must happen before the role is dropped. DROP OWNED BY and REASSIGN OWNED BY do not fit: they
want the rights of the role to be dropped, which its maker does not have. `pg_signal_backend` lets
Vault end the open sessions of a login it revokes, which dropping the role alone does not.

Statements for a Vault role that reads:

    CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
    GRANT USAGE ON SCHEMA public TO "{{name}}";
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";

and its revocation:

    ALTER ROLE "{{name}}" NOLOGIN;
    COMMIT;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{{name}}";
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM "{{name}}";
    REVOKE ALL ON SCHEMA public FROM "{{name}}";
    DROP ROLE IF EXISTS "{{name}}";

CONNECT on the database is left to PUBLIC: without a login there is none to connect.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection, sql

DATABASE = "mlflow"
OWNER = "mlflow_owner"
VAULT = "vault"
ROTATION = "rotation"
APPLICATION = "mlflow"
APPLICATION_OWNER = "mlflow_application"  # as Pulumi.local.yaml names it

_SCHEMA = Path(__file__).with_name("postgresql_schema.sql")


def make_roles_and_database(
    connection: Connection[Any],
    vault_password: str,
    application_password: str,
    *,
    new_vault: bool,
) -> None:
    """Make what is missing. Existing logins keep their passwords: Vault or a rotation owns them.

    For a `new_vault` they get the first ones again, since nobody knows what those of the Vault
    before were changed to. `connection` is the superuser's, in autocommit mode.
    """
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", OWNER):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(OWNER)))
    _make_login(connection, VAULT, vault_password, creates_roles=True, anew=new_vault)
    _make_login(connection, ROTATION, None, creates_roles=True, anew=False)
    _make_login(connection, APPLICATION, application_password, creates_roles=False, anew=new_vault)
    for privilege, login in (("pg_signal_backend", VAULT), ("pg_read_all_stats", ROTATION)):
        grant = sql.SQL("GRANT {} TO {}")
        connection.execute(grant.format(sql.Identifier(privilege), sql.Identifier(login)))
    let_change(connection, VAULT, ROTATION)
    let_change(connection, ROTATION, APPLICATION)
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        create = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


def let_change(connection: Connection[Any], administrator: str, login: str) -> None:
    """Let a CREATEROLE login change another's password, which it did not make.

    Until PostgreSQL 15 it may by CREATEROLE alone. From 16 on it needs ADMIN OPTION, which here
    comes without any use of the login's own rights.
    """
    if connection.info.server_version >= 160000:
        grant = sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        connection.execute(grant.format(sql.Identifier(login), sql.Identifier(administrator)))


def _make_login(
    connection: Connection[Any], name: str, password: str | None, *, creates_roles: bool, anew: bool
) -> None:
    """A login; its password is set when it is made, and `anew`. Without one nobody can use it."""
    made = not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", name)
    if made:
        create = sql.SQL(
            "CREATE ROLE {} LOGIN CREATEROLE" if creates_roles else "CREATE ROLE {} LOGIN"
        )
        connection.execute(create.format(sql.Identifier(name)))
    if password and (made or anew):
        # The verifier is computed here, so that the password is in no statement and no log.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), name.encode(), b"scram-sha-256"
        )
        change = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(change.format(sql.Identifier(name), sql.Literal(verifier.decode())))


def make_schema(connection: Connection[Any]) -> None:
    """Make the tables and grants; `connection` is the superuser's, in database `mlflow`."""
    with connection.transaction():
        # From PostgreSQL 15 on nobody but the database's owner may create in schema public.
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        connection.execute(_SCHEMA.read_bytes())
        # Once rotations have begun, the owner that both logins work as has the rights, and they
        # nothing of their own.
        begun = _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", APPLICATION_OWNER)
        role = sql.Identifier(APPLICATION_OWNER if begun else APPLICATION)
        for grant in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}",
        ):
            connection.execute(sql.SQL(grant).format(role))


def _exists(connection: Connection[Any], query: LiteralString, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None
