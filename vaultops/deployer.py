"""The deployer's credential: a short-lived token in a 0600 file, renewed before each deployment.

Owns the file, and a copy of Vault's CA beside it. The program calls, before it declares anything:

    outcome = refresh(DeployerAccess(address=…, token_file=…, kubeconfig=…, context=…))

and gives both paths to the Vault provider (`auth_login_token_file`, `ca_cert_file`). On the very
first deployment the bootstrap writes the same files, as soon as there is a Vault.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import hvac.exceptions

from vaultops.custody_file import write_private
from vaultops.errors import DeniedError, UnreachableError, UntrustedError
from vaultops.identity import Role, deployer_role, log_in, request_jwt
from vaultops.kubectl import Kubectl, NotFoundError
from vaultops.target import AddressTarget, Target, ca_copy

QUICK_SECONDS = 5.0
CA_CONFIG_MAP = "vault-ca"
CA_KEY = "ca.crt"


@dataclass(frozen=True, kw_only=True)
class DeployerAccess:
    """Where Vault and its cluster are. `token_ttl` is a Vault duration, such as 1h."""

    address: str
    token_file: Path
    namespace: str = "vault"
    token_ttl: str = "1h"  # noqa: S105 -- a duration
    kubeconfig: str | None = None
    context: str | None = None

    @property
    def kubectl(self) -> Kubectl:
        """The cluster that Vault runs in."""
        return Kubectl(namespace=self.namespace, kubeconfig=self.kubeconfig, context=self.context)


class Refreshed(StrEnum):
    """What a refresh found. `NOT_READY`: a Vault whose bootstrap has not finished.

    `EXPIRED`: Vault's certificate has ended; the deployment that follows renews it.
    """

    NO_VAULT = "no-vault"
    NOT_READY = "not-ready"
    EXPIRED = "expired"
    FRESH = "fresh"
    RENEWED = "renewed"


def ca_file(token_file: Path) -> Path:
    """Where the CA lies that the Vault provider verifies the server with: beside the token."""
    return token_file.with_name(f"{token_file.name}.ca.crt")


def read_ca(kubectl: Kubectl) -> str:
    """The CA that clients of Vault trust, PEM. Raises NotFoundError before the first deployment."""
    found = kubectl.json("get", "configmap", CA_CONFIG_MAP)
    ca: str = found["data"][CA_KEY]
    return ca


def login(target: Target, ordinal: int, role: Role, kubectl: Kubectl, token_file: Path) -> None:
    """Log in as the role's service account and write the token and the CA, 0600.

    Raises VaultOpsError.
    """
    jwt = request_jwt(kubectl)(role)
    with target.pod_client(ordinal) as client:
        auth = log_in(client, role, jwt)
    _keep_ca(target, token_file)
    write_private(token_file, auth["client_token"])


def _keep_ca(target: Target, token_file: Path) -> None:
    write_private(ca_file(token_file), Path(target.ca_file).read_text())


def refresh(access: DeployerAccess) -> Refreshed:
    """Renew the token file when it is missing or less than half of the token's life is left.

    Without cluster or Vault nothing happens, nor with an expired certificate: nothing is sent to
    its server. Raises UntrustedError for a certificate of another CA and DeniedError when Vault
    refuses a deployer that it accepted before.
    """
    kubectl = access.kubectl
    try:
        ca_pem = read_ca(kubectl)
    except (UnreachableError, NotFoundError):
        return Refreshed.NO_VAULT
    with ca_copy(ca_pem) as ca_file:
        target = AddressTarget(addresses=(access.address,), ca_file=ca_file)
        try:
            return _refresh(target, access, kubectl)
        except UnreachableError:
            return Refreshed.NO_VAULT
        except UntrustedError as reason:
            if "certificate has expired" not in reason.why:
                raise
            return Refreshed.EXPIRED


def _refresh(target: Target, access: DeployerAccess, kubectl: Kubectl) -> Refreshed:
    had_token = access.token_file.exists()
    with target.pod_client(0, seconds=QUICK_SECONDS) as client:
        status = client.sys.read_seal_status()
        if not status["initialized"] or status["sealed"]:
            return Refreshed.NO_VAULT
    if had_token and _is_fresh(target, access.token_file.read_text().strip()):
        _keep_ca(target, access.token_file)
        return Refreshed.FRESH
    role = deployer_role(access.namespace, access.token_ttl)
    try:
        login(target, 0, role, kubectl, access.token_file)
    except (DeniedError, NotFoundError):
        if had_token:
            raise
        return Refreshed.NOT_READY
    return Refreshed.RENEWED


def _is_fresh(target: Target, token: str) -> bool:
    with target.pod_client(0, token, seconds=QUICK_SECONDS) as client:
        try:
            found = client.auth.token.lookup_self()["data"]
        except hvac.exceptions.Forbidden:
            return False
    ttl, whole = found["ttl"], found["creation_ttl"]
    return bool(ttl * 2 > whole)
