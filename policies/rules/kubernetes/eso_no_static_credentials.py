"""A store of External Secrets Operator must log in as a service account.

A static token or key in a Secret is a credential that nothing ends; a service account's token is
made for one audience and ends within minutes.
Source: External Secrets Operator, "HashiCorp Vault", "AWS Secrets Manager", authentication.
"""

from __future__ import annotations

from collections.abc import Iterator

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


def check(store: View) -> Iterator[Judgement]:
    """Yield a finding for each static credential, and for a token without audience."""
    for _, provider in store["spec"]["provider"].items():
        yield from each([provider], _provider)


def _provider(provider: View) -> Iterator[Judgement]:
    for place in (provider["auth"], provider):
        for name, method in place.items():
            if name in STATIC and method.given:
                yield Finding(
                    evidence=f"{method.path} is a static credential",
                    fix="log in with serviceAccountRef",
                )
    for method in (provider["auth"]["kubernetes"], provider["auth"]["jwt"]):
        yield from each([method], _method)


def _method(method: View) -> Iterator[Judgement]:
    if not method.given:
        return
    if method["secretRef"].given:
        yield Finding(
            evidence=f"{method.path}.secretRef is a static credential", fix="use serviceAccountRef"
        )
    account = method["serviceAccountRef"]
    token = method["kubernetesServiceAccountToken"]
    audiences = account["audiences"].strings() or token["audiences"].strings()
    if ".aws." in method.path and not audiences:
        return  # the operator asks for a token of STS' own audience by itself
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
