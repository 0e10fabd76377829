"""Logging in to Vault as a Kubernetes service account. Owns the request and its refusals.

Nothing is stored: whoever may create tokens for the account (TokenRequest) may log in, and Vault
asks the API server about each one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hvac
import hvac.exceptions

from vaultops.errors import DeniedError
from vaultops.kubectl import Kubectl
from vaultops.policies import DEPLOYER_MOUNT

JWT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role of the auth mount `mount`, bound to exactly one service account and audience."""

    name: str
    service_account: str
    audience: str
    policy: str
    namespace: str = "vault"
    ttl: str = "1h"
    mount: str = DEPLOYER_MOUNT


def deployer_role(namespace: str = "vault", ttl: str = "1h") -> Role:
    """The role that the Pulumi program logs in with."""
    return Role(
        name="strongroom",
        service_account="strongroom-deployer",
        audience="strongroom-deployer",
        policy="strongroom-deployer",
        namespace=namespace,
        ttl=ttl,
    )


def operator_role(namespace: str = "vault") -> Role:
    """The role that snapshots and upgrades log in with."""
    return Role(
        name="operator",
        service_account="strongroom-operator",
        audience="strongroom-operator",
        policy="strongroom-operator",
        namespace=namespace,
    )


IssueJwt = Callable[[Role], str]


def request_jwt(kubectl: Kubectl) -> IssueJwt:
    """Service account tokens from the cluster, good for ten minutes and one audience."""

    def issue(role: Role) -> str:
        return kubectl.run(
            "create",
            "token",
            role.service_account,
            f"--audience={role.audience}",
            f"--duration={JWT_SECONDS}s",
        ).strip()

    return issue


def log_in(client: hvac.Client, role: Role, jwt: str) -> dict[str, Any]:
    """The `auth` part of Vault's answer. Raises DeniedError when Vault refuses the account."""
    try:
        answer = client.login(
            f"/v1/auth/{role.mount}/login",
            use_token=False,
            json={"role": role.name, "jwt": jwt},
        )
    except (hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest) as reason:
        raise DeniedError(
            f"Vault refuses the login of service account {role.namespace}/{role.service_account}",
            where=f"auth/{role.mount}/login, role {role.name}",
            why=str(reason),
            fix="check that Vault's service account is bound to system:auth-delegator; if the "
            "login itself is gone or changed, repair it: docs/runbooks/key-custody.md",
        ) from None
    auth: dict[str, Any] = answer["auth"]
    return auth
