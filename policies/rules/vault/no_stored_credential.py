"""A credential that Vault keeps must reach it by a write-only property.

What is given in an ordinary property stands in the state, encrypted or not, for as long as the
state's history is kept. A connection URL takes `{{password}}` in its place.
Source: Pulumi Vault provider, properties ending in Wo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.resource_types import DATABASE_CONNECTIONS, DATABASE_ENGINES, engine_properties
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View

FIELDS = ("dataJson", "secretKey", "password", "credentials", "bindpass", "clientSecret")
# As in a URL, as MySQL's driver takes it, or as a parameter.
_LITERAL = re.compile(
    r"(?:^|//)[^/@\s:]+:(?!\{\{)[^@/\s]+@|\b(?:password|pwd)=(?!\{\{)\S", re.IGNORECASE
)


def _stored(field: View) -> Iterator[Judgement]:
    if field.given:
        yield Finding(
            evidence=f"{field.path} is set, so the state holds its value",
            fix=f"use {field.path}Wo with its version property",
        )


def _url(url: View) -> Iterator[Judgement]:
    if _LITERAL.search(url.text()):
        yield Finding(
            evidence=f"{url.path} holds a password",
            fix="write {{username}}:{{password}} and give the password in passwordWo",
        )


def check(resource: View) -> Iterator[Judgement]:
    """Yield a finding for each credential in an ordinary property."""
    yield from each((resource[name] for name in FIELDS), _stored)
    for name in engine_properties(*DATABASE_ENGINES):
        yield from each_of(resource[name], _engine)


def _engine(engine: View) -> Iterator[Judgement]:
    yield from each([engine["password"]], _stored)
    yield from each([engine["connectionUrl"]], _url)


RULE = Rule(
    id="vault-no-stored-credential",
    title="A credential for Vault must be given in a write-only property.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 IA-5(7)", "CIS Controls 3.11"),
    resource_types=DATABASE_CONNECTIONS.union(
        {
            "vault:kv/secretV2:SecretV2",
            "vault:kv/secret:Secret",
            "vault:generic/secret:Secret",
            "vault:aws/secretBackend:SecretBackend",
            "vault:gcp/secretBackend:SecretBackend",
            "vault:azure/backend:Backend",
            "vault:ldap/secretBackend:SecretBackend",
            "vault:rabbitMq/secretBackend:SecretBackend",
            "vault:aws/authBackendClient:AuthBackendClient",
            "vault:azure/authBackendConfig:AuthBackendConfig",
            "vault:gcp/authBackend:AuthBackend",
            "vault:ldap/authBackend:AuthBackend",
        }
    ),
    remediation="Use the property ending in Wo; raise its version to write again.",
    check=check,
)
