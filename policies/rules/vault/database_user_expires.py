"""A PostgreSQL user that Vault makes must expire by itself.

When a revocation fails, for example because the database is down, the user outlives its lease;
`VALID UNTIL '{{expiration}}'` ends it all the same.
Source: HashiCorp, "PostgreSQL database plugin".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies import sql
from policies.resource_types import DATABASE_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

EXPIRES = re.compile(r"\bvalid\s+until\s+'\{\{expiration\}\}'", re.IGNORECASE)
OTHERWISE = re.compile(r"\bvalid\s+until\s+(?!'\{\{expiration\}\}')", re.IGNORECASE)


def _statement(statement: View) -> Iterator[Judgement]:
    text = statement.text()
    makes_user = sql.phrase(text, "CREATE", "ROLE") or sql.phrase(text, "CREATE", "USER")
    run = sql.uncommented(text)
    expires = EXPIRES.search(run) and not OTHERWISE.search(run)
    # MySQL's users have IDENTIFIED BY, and no expiry of the kind.
    if makes_user and not sql.phrase(text, "IDENTIFIED") and not expires:
        yield Finding(
            evidence=f"{statement.path} makes a user without VALID UNTIL '{{{{expiration}}}}'",
            fix=f"add VALID UNTIL '{{{{expiration}}}}' to {statement.path}",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each statement that makes a user for ever."""
    yield from each_of(role["creationStatements"], _statement)


RULE = Rule(
    id="vault-database-user-expires",
    title="A PostgreSQL user made by Vault must expire by itself.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AC-2(3)",),
    resource_types=frozenset({DATABASE_ROLE}),
    remediation="Write VALID UNTIL '{{expiration}}' after the password.",
    check=check,
)
