"""A database connection must name the roles that may use it.

With `*`, whoever can write a role in this mount uses the connection's own, strong, user.
Source: HashiCorp, "Database secrets engine (API)", allowed_roles.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import DATABASE_CONNECTIONS, DATABASE_ENGINES, engine_properties
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View


def _entry(entry: View) -> Iterator[Judgement]:
    if "*" in entry.text():
        yield Finding(evidence=f"{entry.path} is {entry.text()!r}", fix="name each role")


def check(connection: View) -> Iterator[Judgement]:
    """Yield a finding for each wildcard."""
    yield from _roles(connection)
    for name in engine_properties(*DATABASE_ENGINES):
        yield from each_of(connection[name], _roles)


def _roles(connection: View) -> Iterator[Judgement]:
    yield from each_of(connection["allowedRoles"], _entry)


RULE = Rule(
    id="vault-database-connection-names-roles",
    title="A database connection must name the roles that may use it.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-6",),
    resource_types=DATABASE_CONNECTIONS,
    remediation="List the roles in allowed_roles.",
    check=check,
)
