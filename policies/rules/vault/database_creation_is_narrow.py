"""What Vault runs to make a database user must give it no power over the database itself.

Judged on the words of the SQL, comments and strings left out: NOSUPERUSER is no SUPERUSER.
Source: PostgreSQL, "Role attributes", "Predefined roles"; MySQL, "GRANT statement".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies import sql
from policies.resource_types import DATABASE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

PHRASES = (
    ("SUPERUSER",),
    ("CREATEROLE",),
    ("CREATEDB",),
    ("REPLICATION",),
    ("BYPASSRLS",),
    ("PG_READ_ALL_DATA",),
    ("PG_WRITE_ALL_DATA",),
    ("PG_READ_SERVER_FILES",),
    ("PG_WRITE_SERVER_FILES",),
    ("PG_EXECUTE_SERVER_PROGRAM",),
    ("GRANT", "ALL"),
    ("WITH", "ADMIN"),
    ("WITH", "GRANT", "OPTION"),
    ("ON", "*", ".", "*"),
)


def _statement(statement: View) -> Iterator[Judgement]:
    for words in PHRASES:
        if sql.phrase(statement.text(), *words):
            said = " ".join(words).replace(" . ", ".").replace("* .", "*.")
            yield Finding(
                evidence=f"{statement.path} says {said}",
                fix=f"grant the tables and verbs that are needed in place of {said}",
            )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each dangerous phrase of each statement."""
    yield from each_of(role["creationStatements"], _statement)


RULE = Rule(
    id="vault-database-creation-is-narrow",
    title="Creation statements of a database role must not make an administrator.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-6", "CIS PostgreSQL 4"),
    resource_types=frozenset({DATABASE_ROLE}),
    remediation="Make the user a member of a group role that owns exactly the access needed.",
    check=check,
)
