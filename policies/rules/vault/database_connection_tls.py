"""Vault must reach a database over TLS, and check who answers.

PostgreSQL's `sslmode=require` encrypts but believes any certificate. Which of two modes in a URL
counts differs from driver to driver, so that all must be right.
Source: PostgreSQL, "SSL support", table of modes; HashiCorp, "MySQL database plugin".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from policies.resource_types import DATABASE_CONNECTIONS, DATABASE_ENGINES, engine_properties
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

POSTGRESQL = ("postgresql", "redshift")
MYSQL = ("mysql", "mysqlRds", "mysqlAurora", "mysqlLegacy")
CHECKS = "verify-full"
UNCHECKED = ("insecure", "insecureTls")
_SSLMODE = re.compile(r"[?&\s]sslmode=([\w*-]+)")


def _postgresql(engine: View) -> Iterator[Judgement]:
    url = engine["connectionUrl"]
    if not url.given:
        return
    modes = _SSLMODE.findall(unquote(url.text()))
    wrong = [mode for mode in modes if mode != CHECKS]
    if wrong or not modes:
        yield Finding(
            evidence=f"{url.path} has sslmode {wrong[0] if wrong else 'not set'}",
            fix=f"set sslmode={CHECKS} and give the CA",
        )


def _mysql(engine: View) -> Iterator[Judgement]:
    url = engine["connectionUrl"]
    if url.given and not engine["tlsCa"].given and "tls=true" not in url.text():
        yield Finding(evidence=f"{engine.path} has neither tlsCa nor tls=true", fix="give tlsCa")


def _checked(engine: View) -> Iterator[Judgement]:
    for name in UNCHECKED:
        if engine[name].flag() is True:
            yield Finding(
                evidence=f"{engine[name].path} is true: the certificate is not checked",
                fix=f"remove {engine[name].path} and give the CA",
            )


def check(connection: View) -> Iterator[Judgement]:
    """Yield a finding for each engine's block without checked TLS."""
    for names, judge in ((POSTGRESQL, _postgresql), (MYSQL, _mysql)):
        for name in engine_properties(*names):
            yield from each_of(connection[name], judge)
    for name in engine_properties(*DATABASE_ENGINES):
        yield from each_of(connection[name], _checked)


RULE = Rule(
    id="vault-database-connection-tls",
    title="Vault must reach a database over TLS and check its certificate.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 SC-8",),
    resource_types=DATABASE_CONNECTIONS,
    remediation="sslmode=verify-full for PostgreSQL, tls_ca for MySQL.",
    check=check,
)
