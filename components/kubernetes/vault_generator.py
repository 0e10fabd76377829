"""Credentials that Vault makes for each refresh: database logins, AWS keys.

Owns the VaultDynamicSecret. Nothing renews what it fetched, so the refresh must come well before
its end; `access.lifetimes` compares the two, from the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.external_secret import GENERATORS
from components.kubernetes.labels import standard_labels
from components.kubernetes.store_providers import LoginAccount, VaultSource
from components.vault import inputs


@dataclass(frozen=True, kw_only=True)
class VaultGeneratorArgs:
    """Reads `path` of Vault (`database/creds/ml-readonly`) as `account` with the source's grant.

    The operator logs in by the right that a store of the same account gives it, one of `waits`.
    """

    generator_name: str
    namespace: pulumi.Input[str]
    source: VaultSource
    account: str
    path: str
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        inputs.exact("path", [self.path], example="database/creds/ml-readonly")


class VaultGenerator(pulumi.ComponentResource):
    """Produces the VaultDynamicSecret."""

    def __init__(
        self, name: str, args: VaultGeneratorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:VaultGenerator", name, {}, opts)
        k8s.apiextensions.CustomResource(
            f"{name}-generator",
            api_version=GENERATORS,
            kind="VaultDynamicSecret",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.generator_name,
                namespace=args.namespace,
                labels=standard_labels("external-secret"),
            ),
            spec={
                "path": args.path,
                "method": "GET",
                "resultType": "Data",
                "provider": args.source.connection(LoginAccount(name=args.account)),
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.waits)),
        )
        self.register_outputs({})
