"""Where a secret store reads from, and as which service account it logs in.

Owns the `provider` part of a store. Every provider logs in with a short-lived token of one service
account; none knows a stored key or token, because those live until somebody thinks of them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pulumi

from components.vault import inputs

IRSA = "eks.amazonaws.com/role-arn"
WORKLOAD_IDENTITY = "iam.gke.io/gcp-service-account"


@dataclass(frozen=True, kw_only=True)
class LoginAccount:
    """The service account a store logs in as. `namespace` is given for a ClusterSecretStore only.

    `annotations` bind it to a cloud identity; an account without any belongs to a workload and
    exists already.
    """

    name: str
    namespace: pulumi.Input[str] | None = None

    def reference(self, audiences: tuple[str, ...] = ()) -> dict[str, Any]:
        """As `serviceAccountRef` has it."""
        return {
            "name": self.name,
            **({"namespace": self.namespace} if self.namespace is not None else {}),
            **({"audiences": list(audiences)} if audiences else {}),
        }


class StoreProvider(Protocol):
    """What a store needs of its provider."""

    @property
    def annotations(self) -> Mapping[str, str]:
        """What makes the service account a cloud identity; empty when it is a workload's own."""
        ...

    def spec(self, account: LoginAccount) -> dict[str, Any]:
        """The store's `provider`, logging in as `account`."""
        ...


@dataclass(frozen=True, kw_only=True)
class VaultSource:
    """A KV v2 engine of Vault, read with one grant's role.

    `address` and `ca_pem` are those inside the cluster; `audience` and `role` the grant's own.
    """

    address: str
    ca_pem: pulumi.Input[str]
    role: pulumi.Input[str]
    audience: str
    auth_path: pulumi.Input[str] = "kubernetes"
    mount: str = "secret"
    annotations: Mapping[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        inputs.https("address", self.address)
        inputs.mount_path("mount", self.mount)
        inputs.exact("audience", [self.audience], example="vault")

    def connection(self, account: LoginAccount) -> dict[str, Any]:
        """Address, trust and login, as stores and generators both have them."""
        encoded = pulumi.Output.from_input(self.ca_pem).apply(
            lambda pem: base64.b64encode(pem.encode()).decode()
        )
        return {
            "server": self.address,
            "caBundle": encoded,
            "auth": {
                "kubernetes": {
                    "mountPath": self.auth_path,
                    "role": self.role,
                    "serviceAccountRef": account.reference((self.audience,)),
                }
            },
        }

    def spec(self, account: LoginAccount) -> dict[str, Any]:
        """The store's `provider`."""
        return {
            "vault": {"path": self.mount, "version": "v2", **self.connection(account)},
        }


@dataclass(frozen=True, kw_only=True)
class AwsSecretsManager:
    """AWS Secrets Manager, read as the IAM role `role` (IRSA: web identity, no access key)."""

    region: str
    role: str

    def __post_init__(self) -> None:
        if not self.role.startswith("arn:") or ":role/" not in self.role:
            raise inputs.refuse(
                "role",
                self.role,
                "is no ARN of an IAM role; the store could log in with a stored key only",
                "Write arn:aws:iam::123456789012:role/name",
            )

    @property
    def annotations(self) -> Mapping[str, str]:
        """The account's IAM role."""
        return {IRSA: self.role}

    def spec(self, account: LoginAccount) -> dict[str, Any]:
        """The store's `provider`."""
        # ESO asks for a token of STS' audience by itself; another one added would reach STS too.
        jwt = {"serviceAccountRef": account.reference()}
        return {
            "aws": {"service": "SecretsManager", "region": self.region, "auth": {"jwt": jwt}},
        }


@dataclass(frozen=True, kw_only=True)
class GoogleSecretManager:
    """Google Secret Manager of `project`, read as `service_account` by workload identity.

    Where the cluster's own metadata does not tell, `cluster` and `cluster_location` name it.
    """

    project: str
    service_account: str
    cluster: str | None = None
    cluster_location: str | None = None

    def __post_init__(self) -> None:
        if not self.service_account.endswith(".iam.gserviceaccount.com"):
            raise inputs.refuse(
                "service_account",
                self.service_account,
                "is no Google service account; the store could log in with a stored key only",
                "Write name@project.iam.gserviceaccount.com",
            )

    @property
    def annotations(self) -> Mapping[str, str]:
        """The account's Google identity."""
        return {WORKLOAD_IDENTITY: self.service_account}

    def spec(self, account: LoginAccount) -> dict[str, Any]:
        """The store's `provider`."""
        identity: dict[str, Any] = {"serviceAccountRef": account.reference()}
        if self.cluster and self.cluster_location:
            identity |= {
                "clusterName": self.cluster,
                "clusterLocation": self.cluster_location,
                "clusterProjectID": self.project,
            }
        return {"gcpsm": {"projectID": self.project, "auth": {"workloadIdentity": identity}}}
