"""A static role must not rotate the user with which Vault itself connects.

The rotation changes the password under the connection, and every role of it stops working.
Source: HashiCorp, "Database secrets engine", static roles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.resource_types import DATABASE_CONNECTION, DATABASE_ENGINES, DATABASE_STATIC_ROLE
from policies.rule import Finding, Judgement, Resource, Severity, StackRule, each_resource, of_type


def _connecting_users(connection: Resource) -> Iterator[str]:
    for engine in DATABASE_ENGINES:
        if user := connection.view[engine]["username"].text():
            yield user


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each static role of a connection's own user."""
    connections = of_type(resources, DATABASE_CONNECTION)

    def judge(role: Resource) -> Iterator[Judgement]:
        database, user = role.view["dbName"].text(), role.view["username"].text()
        for connection in connections:
            if connection.view["name"].text() != database:
                continue
            if user in _connecting_users(connection):
                yield Finding(
                    evidence=f"username {user!r} is the user with which {database!r} connects",
                    fix="rotate the connection's user with rotate-root, and this role another one",
                )

    yield from each_resource(of_type(resources, DATABASE_STATIC_ROLE), judge)


RULE = StackRule(
    id="vault-database-static-role-is-not-root",
    title="A static role must not rotate the user with which Vault connects.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5",),
    resource_types=frozenset({DATABASE_CONNECTION, DATABASE_STATIC_ROLE}),
    remediation="Give Vault a user of its own and rotate it with rotate-root.",
    check=check,
)
