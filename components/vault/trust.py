"""A public CA where clients need it: one ConfigMap in each namespace that talks to its server.

Owns the copies; the CA itself is made elsewhere (Vault's by tls.py, the database's by whoever runs
it). A CA certificate is public, and a client that cannot find it would be tempted to skip
verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.vault.tls import CA_CONFIG_MAP, CA_KEY

DATABASE_CA_CONFIG_MAP = "postgresql-ca"


@dataclass(frozen=True, kw_only=True)
class TrustArgs:
    """`namespaces` maps each one's plain name to its name as an Output, which waits for it.

    `config_map` is the name that workloads mount.
    """

    namespaces: Mapping[str, pulumi.Input[str]]
    ca_pem: pulumi.Input[str]
    config_map: str = CA_CONFIG_MAP


class Trust(pulumi.ComponentResource):
    """Produces the ConfigMap, its certificates under `ca.crt`, in every namespace given."""

    def __init__(
        self, name: str, args: TrustArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Trust", name, {}, opts)
        for key, namespace in args.namespaces.items():
            k8s.core.v1.ConfigMap(
                f"{name}-{key}",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=args.config_map, namespace=namespace, labels=standard_labels("trust")
                ),
                data={CA_KEY: args.ca_pem},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
