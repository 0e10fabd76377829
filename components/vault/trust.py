"""Vault's CA where clients need it: one ConfigMap in each namespace that reads Vault.

Owns the copies; the CA itself is tls.py's. A CA certificate is public, and a client that cannot
find it would be tempted to skip verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.vault.tls import CA_CONFIG_MAP, CA_KEY


@dataclass(frozen=True, kw_only=True)
class VaultTrustArgs:
    """`namespaces` maps each one's plain name to its name as an Output, which waits for it."""

    namespaces: Mapping[str, pulumi.Input[str]]
    ca_pem: pulumi.Input[str]


class VaultTrust(pulumi.ComponentResource):
    """Produces the ConfigMap `vault-ca` in every namespace given."""

    def __init__(
        self, name: str, args: VaultTrustArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Trust", name, {}, opts)
        for key, namespace in args.namespaces.items():
            k8s.core.v1.ConfigMap(
                f"{name}-{key}",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=CA_CONFIG_MAP, namespace=namespace, labels=standard_labels("vault-tls")
                ),
                data={CA_KEY: args.ca_pem},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
