"""Vault must reach a database over TLS, and check who answers.

PostgreSQL's `sslmode=require` encrypts but believes any certificate.
Source: PostgreSQL, "SSL support", table of modes; HashiCorp, "MySQL database plugin".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource_types import DATABASE_CONNECTION
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

POSTGRESQL = ("postgresql", "redshift")
MYSQL = ("mysql", "mysqlRds", "mysqlAurora", "mysqlLegacy")
CHECKS = "verify-full"
_SSLMODE = re.compile(r"[?&\s]sslmode=([\w*-]+)")


def _postgresql(engine: View) -> Iterator[Judgement]:
    url = engine["connectionUrl"]
    if not url.given:
        return
    modes = _SSLMODE.findall(url.text())
    if modes[-1:] != [CHECKS]:
        yield Finding(
            evidence=f"{url.path} has sslmode {modes[-1] if modes else 'not set'}",
            fix=f"set sslmode={CHECKS} and give the CA",
        )


def _mysql(engine: View) -> Iterator[Judgement]:
    url = engine["connectionUrl"]
    if url.given and not engine["tlsCa"].given and "tls=true" not in url.text():
        yield Finding(evidence=f"{engine.path} has neither tlsCa nor tls=true", fix="give tlsCa")


def check(connection: View) -> Iterator[Judgement]:
    """Yield a finding for each engine's block without checked TLS."""
    for names, judge in ((POSTGRESQL, _postgresql), (MYSQL, _mysql)):
        for name in names:
            yield from each([connection[name]], judge)


RULE = Rule(
    id="vault-database-connection-tls",
    title="Vault must reach a database over TLS and check its certificate.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 SC-8",),
    resource_types=frozenset({DATABASE_CONNECTION}),
    remediation="sslmode=verify-full for PostgreSQL, tls_ca for MySQL.",
    check=check,
)
