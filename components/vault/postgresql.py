"""The SQL by which Vault makes, prolongs and removes logins of PostgreSQL.

Owns statements for a Vault user that holds its table privileges WITH GRANT OPTION and CREATEROLE,
but is no superuser and no member of the owner. Such a user can take back only what it gave itself,
and must do so before it drops a role; DROP OWNED BY needs a membership that PostgreSQL does not
give it. Vault runs each list in one transaction, so a login exists whole or not at all. Only a
revocation commits on its way: a client that comes back while its session is being ended would get
another, and keep it after the role is gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from components.vault.inputs import refuse

ALTER_PASSWORD = "ALTER ROLE \"{{name}}\" WITH PASSWORD '{{password}}';"  # noqa: S105 -- a template
RENEWAL = ("ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';",)


class Privilege(StrEnum):
    """What a login may do with the tables of a schema."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


READ = (Privilege.SELECT,)
READ_WRITE = (Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE)


def creation(privileges: Sequence[Privilege], schema: str = "public") -> tuple[str, ...]:
    """Statements that make a login with `privileges` on every table that `schema` has then."""
    if not privileges:
        raise refuse("privileges", privileges, "make a login that can do nothing", "Name some")
    place = _schema(schema)
    statements = [
        "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
        f'GRANT USAGE ON SCHEMA {place} TO "{{{{name}}}}";',
        f'GRANT {", ".join(privileges)} ON ALL TABLES IN SCHEMA {place} TO "{{{{name}}}}";',
    ]
    if Privilege.INSERT in privileges:  # a serial column's default reads its sequence
        statements.append(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA {place} TO "{{{{name}}}}";')
    return tuple(statements)


def revocation(schema: str = "public") -> tuple[str, ...]:
    """Statements that end the login's sessions, take back what it was given, and drop it."""
    place = _schema(schema)
    return (
        'ALTER ROLE "{{name}}" NOLOGIN;',
        "COMMIT;",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';",
        f'REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM "{{{{name}}}}";',
        f'REVOKE ALL ON ALL SEQUENCES IN SCHEMA {place} FROM "{{{{name}}}}";',
        f'REVOKE ALL ON SCHEMA {place} FROM "{{{{name}}}}";',
        'DROP ROLE IF EXISTS "{{name}}";',
    )


def _schema(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise refuse(
            "schema",
            name,
            "is no plain name; it would be run as SQL by Vault's own user",
            "Use lower-case letters, digits and underscores",
        )
    return f'"{name}"'
