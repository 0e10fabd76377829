"""A store of External Secrets Operator must log in as a service account.

A static token or key in a Secret is a credential that nothing ends; a service account's token is
made for one audience and ends within minutes.
Source: External Secrets Operator, "HashiCorp Vault", "AWS Secrets Manager", authentication.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.external_secrets import types
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.view import View

# Fields that hold, or point to, a credential that lives on.
STATIC = frozenset(
    {
        "tokenSecretRef",
        "secretRef",
        "accessKeyIDSecretRef",
        "secretAccessKeySecretRef",
        "appRole",
        "ldap",
        "userPass",
        "cert",
        "apiKey",
        "authSecretRef",
    }
)


# Where the operator asks for a token of STS' own audience by itself.
STS = (".aws.", ".vault.auth.iam.")


def check(store: View) -> Iterator[Judgement]:
    """Yield a finding for each static credential, and for a token without audience."""
    for _, provider in store["spec"]["provider"].items():
        yield from each([provider], _provider)


def _provider(provider: View) -> Iterator[Judgement]:
    yield from each([provider["auth"]], _login)
    for name, place in provider.items():
        if name in STATIC:
            yield from each([place], partial(_way, name=name))


def _login(auth: View) -> Iterator[Judgement]:
    for name, way in auth.items():
        yield from each([way], partial(_way, name=name))


def _way(way: View, name: str) -> Iterator[Judgement]:
    if not way.given:
        return
    if name in STATIC or name.lower().endswith("secretref"):
        yield Finding(
            evidence=f"{way.path} is a static credential", fix="log in with serviceAccountRef"
        )
    elif name in ("kubernetes", "jwt"):
        yield from _method(way)
    else:
        yield from _login(way)


def _method(method: View) -> Iterator[Judgement]:
    if method["secretRef"].given:
        yield Finding(
            evidence=f"{method.path}.secretRef is a static credential", fix="use serviceAccountRef"
        )
    account = method["serviceAccountRef"]
    token = method["kubernetesServiceAccountToken"]
    audiences = account["audiences"].strings() or token["audiences"].strings()
    if any(part in method.path for part in STS) and not audiences:
        return
    if (account.given or token.given) and (not audiences or "*" in audiences):
        yield Finding(
            evidence=f"{method.path} asks for a token of any audience",
            fix=f"set {account.path}.audiences to Vault's audience",
        )


RULE = Rule(
    id="eso-no-static-credentials",
    title="A secret store must log in as a service account with an audience.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 IA-5(7)", "NIST SP 800-53 IA-9"),
    resource_types=types("SecretStore", "ClusterSecretStore"),
    remediation="auth.kubernetes with serviceAccountRef and audiences: [vault].",
    check=check,
)
