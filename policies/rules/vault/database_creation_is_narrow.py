"""What Vault runs to make a database user must give it no power over the database itself.

Judged on the words of the SQL, comments and strings left out: NOSUPERUSER is no SUPERUSER. A role
that gives such power counts however its name is quoted.
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
    ("GRANT", "ALL"),
    ("WITH", "ADMIN"),
    ("ADMIN", "TRUE"),
    ("WITH", "GRANT", "OPTION"),
    ("ON", "*", ".", "*"),
)
# PostgreSQL's own roles, and those of the clouds in place of its superuser.
ROLES = (
    "PG_READ_ALL_DATA",
    "PG_WRITE_ALL_DATA",
    "PG_READ_SERVER_FILES",
    "PG_WRITE_SERVER_FILES",
    "PG_EXECUTE_SERVER_PROGRAM",
    "RDS_SUPERUSER",
    "CLOUDSQLSUPERUSER",
    "AZURE_PG_ADMIN",
)


def _statement(statement: View) -> Iterator[Judgement]:
    text = statement.text()
    said = [" ".join(words) for words in PHRASES if sql.phrase(text, *words)]
    names = sql.names(text)
    said.extend(role for role in ROLES if role in names)
    for each in said:
        power = each.replace(" . ", ".")
        yield Finding(
            evidence=f"{statement.path} says {power}",
            fix=f"grant the tables and verbs that are needed in place of {power}",
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
