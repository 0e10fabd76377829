"""Vault's bootstrap as a resource: it runs once a Vault exists, and again when its facts change.

Owns the two service accounts that log in afterwards, and the link from the program to
`vaultops.bootstrap`. Its output `address` is unknown while there is no Vault, or one whose
bootstrap is yet to run again: give it to the Vault provider. The program makes two calls:

    vaultops.deployer.refresh(DeployerAccess(…))          # first of all; see there
    bootstrap = VaultBootstrap("vault-bootstrap", VaultBootstrapArgs(…, ready=cluster.ready))
    vault.Provider("vault", address=bootstrap.address, …)

State holds connection facts and no secret. Deleting the resource touches neither Vault nor custody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import dynamic

from components.kubernetes.labels import standard_labels
from components.vault.bootstrap_provider import BootstrapProvider

ACCOUNTS = ("strongroom-deployer", "strongroom-operator")


@dataclass(frozen=True, kw_only=True)
class VaultBootstrapArgs:
    """`custodian` as `vaultops.custodians.build` reads it, with `shares` and `threshold`.

    `seal` is the seal's type; `ready` the cluster's output. `token_file` receives the deployer's
    token (0600); `token_ttl` and the autopilot's times are Vault durations, such as 1h.
    """

    namespace: pulumi.Input[str]
    address: str
    replicas: int
    seal: str
    ca_pem: pulumi.Input[str]
    ready: pulumi.Input[bool]
    custodian: Mapping[str, Any]
    token_file: str
    token_ttl: str = "1h"  # noqa: S105 -- a duration
    kubeconfig: str | None = None
    context: str | None = None
    release: str = "vault"
    autopilot: Mapping[str, Any] = field(default_factory=dict)


class VaultBootstrap(pulumi.ComponentResource):
    """Produces the login accounts and a Vault that is unsealed, audited and without root token."""

    address: pulumi.Output[str]
    cluster_id: pulumi.Output[str]
    completed_state: pulumi.Output[str]
    audit_devices: pulumi.Output[list[str]]

    def __init__(
        self, name: str, args: VaultBootstrapArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Bootstrap", name, {}, opts)
        accounts = [
            k8s.core.v1.ServiceAccount(
                f"{name}-{account}",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=account,
                    namespace=args.namespace,
                    labels=standard_labels("vault-bootstrap"),
                ),
                automount_service_account_token=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for account in ACCOUNTS
        ]
        run = _Run(
            f"{name}-run",
            args,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=accounts,
                custom_timeouts=pulumi.CustomTimeouts(create="30m", update="30m"),
            ),
        )
        # Inputs are known in every preview; only what the bootstrap itself finds out waits for it.
        self.address = run.cluster_id.apply(lambda _: args.address)
        self.cluster_id = run.cluster_id
        self.completed_state = run.completed_state
        self.audit_devices = run.audit_devices
        self.register_outputs(
            {
                "address": self.address,
                "cluster_id": self.cluster_id,
                "completed_state": self.completed_state,
                "audit_devices": self.audit_devices,
            }
        )


class _Run(dynamic.Resource, module="strongroom", name="VaultBootstrap"):
    cluster_id: pulumi.Output[str]
    completed_state: pulumi.Output[str]
    audit_devices: pulumi.Output[list[str]]

    def __init__(self, name: str, args: VaultBootstrapArgs, opts: pulumi.ResourceOptions) -> None:
        props = {
            "namespace": args.namespace,
            "release": args.release,
            "address": args.address,
            "replicas": args.replicas,
            "seal": args.seal,
            "ca_pem": args.ca_pem,
            "ready": args.ready,
            "custodian": dict(args.custodian),
            "token_file": args.token_file,
            "token_ttl": args.token_ttl,
            "kubeconfig": args.kubeconfig,
            "context": args.context,
            "autopilot": dict(args.autopilot),
            "cluster_id": None,
            "completed_state": None,
            "audit_devices": None,
        }
        super().__init__(BootstrapProvider(), name, props, opts)
