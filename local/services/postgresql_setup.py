"""Roles and the database `mlflow`. Owns their SQL; repeating it changes nothing.

Roles: the superuser made by initdb (the platform's, reachable from the node only); `mlflow_owner`
(cannot log in, owns the database and its tables); `vault` (logs in, CREATEROLE, no superuser).

Why `vault` holds its table privileges WITH GRANT OPTION: in PostgreSQL 15 CREATEROLE makes and
drops roles, and puts them into any role that is no superuser, but it passes on no table privilege.
Membership in `mlflow_owner` would do that too, and would let Vault drop the tables. The grants that
Vault makes name it as grantor, so it can take back just these, which must happen before the role
is dropped. DROP OWNED BY and REASSIGN OWNED BY do not fit: they want membership in the role to be
dropped, which in PostgreSQL 15 its maker does not have. `pg_signal_backend` lets Vault end the
open sessions of a login it revokes, which dropping the role alone does not.

Statements for a Vault role that reads:

    CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
    GRANT USAGE ON SCHEMA public TO "{{name}}";
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";

and its revocation:

    ALTER ROLE "{{name}}" NOLOGIN;
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

_SCHEMA = Path(__file__).with_name("postgresql_schema.sql")


def make_roles_and_database(
    connection: Connection[Any], vault_password: str, *, new_vault: bool
) -> None:
    """Make what is missing. An existing `vault` keeps its password: Vault has rotated it.

    For a `new_vault` it gets `vault_password` again, since nobody knows the one that the Vault
    before rotated it to. `connection` is the superuser's, in autocommit mode.
    """
    if not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", OWNER):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(OWNER)))
    made = not _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", VAULT)
    if made:
        create = sql.SQL("CREATE ROLE {} LOGIN CREATEROLE")
        connection.execute(create.format(sql.Identifier(VAULT)))
    if made or new_vault:
        # The verifier is computed here, so that the password is in no statement and no log.
        verifier = connection.pgconn.encrypt_password(
            vault_password.encode(), VAULT.encode(), b"scram-sha-256"
        )
        change = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(change.format(sql.Identifier(VAULT), sql.Literal(verifier.decode())))
    connection.execute(sql.SQL("GRANT pg_signal_backend TO {}").format(sql.Identifier(VAULT)))
    if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
        create = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


def make_schema(connection: Connection[Any]) -> None:
    """Make the tables and grants; `connection` is the superuser's, in database `mlflow`."""
    with connection.transaction():
        # In PostgreSQL 15 nobody but the database's owner may create in schema public.
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        connection.execute(_SCHEMA.read_bytes())


def _exists(connection: Connection[Any], query: LiteralString, name: str) -> bool:
    return connection.execute(query, (name,)).fetchone() is not None
