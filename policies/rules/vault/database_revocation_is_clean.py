"""A database role should say how its users end: sessions closed, objects handed over, user dropped.

Vault's default drops what it can; a user that owns something stays, and an open session lives on.
Source: HashiCorp, "PostgreSQL database plugin"; PostgreSQL, "DROP OWNED".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies import sql
from policies.resource_types import DATABASE_ROLE
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity
from policies.view import View

DROPS = (("DROP", "ROLE"), ("DROP", "USER"))
CLOSES = (("PG_TERMINATE_BACKEND",), ("KILL",))


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding when statements are absent, drop nobody, or leave sessions open."""
    statements = role["revocationStatements"].strings()
    if not statements:
        yield Finding(
            evidence="revocationStatements is empty",
            fix="close the user's sessions, reassign and drop what it owns, and drop the user",
        )
        return
    for phrases, what in ((DROPS, "drops no user"), (CLOSES, "closes no session")):
        if not any(sql.phrase(text, *words) for text in statements for words in phrases):
            yield Finding(
                evidence=f"revocationStatements {what}",
                fix=f"add {' '.join(phrases[0])} to revocationStatements",
            )


RULE = Rule(
    id="vault-database-revocation-is-clean",
    title="A database role must say how its users end.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 AC-2(3)",),
    resource_types=frozenset({DATABASE_ROLE}),
    remediation="pg_terminate_backend, REASSIGN OWNED, DROP OWNED, DROP ROLE, in this order.",
    levels=ADVISED,
    check=check,
)
