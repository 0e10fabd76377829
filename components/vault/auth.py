"""Vault's Kubernetes auth method, for workloads of the cluster that Vault itself runs in.

Owns the mount and its configuration. It sets the API server's address and nothing else: Vault then
reads its own pod's token and CA again and again, where a stored reviewer token would die within the
hour (hashicorp/vault#13873). Roles belong to grants.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from components.vault import inputs

IN_CLUSTER_API_SERVER = "https://kubernetes.default.svc:443"


@dataclass(frozen=True, kw_only=True)
class KubernetesAuthArgs:
    """`path` is the mount's name, without slashes."""

    path: str = "kubernetes"
    kubernetes_host: str = IN_CLUSTER_API_SERVER

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.https("kubernetes_host", self.kubernetes_host)


class KubernetesAuth(pulumi.ComponentResource):
    """Produces the auth mount and its configuration."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: KubernetesAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:KubernetesAuth", name, {}, opts)
        mount = vault.AuthBackend(
            f"{name}-mount",
            type="kubernetes",
            path=args.path,
            description="Workloads of this cluster, by service account token",
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        configuration = vault.kubernetes.AuthBackendConfig(
            f"{name}-config",
            backend=mount.path,
            kubernetes_host=args.kubernetes_host,
            disable_iss_validation=True,  # Vault's default since 1.9: the reviewer checks it
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.path = configuration.backend.apply(lambda backend: backend or args.path)
        self.register_outputs({"path": self.path})
