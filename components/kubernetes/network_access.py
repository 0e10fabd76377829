"""What is open in a closed cluster: DNS, Vault for its readers, and what Vault itself needs.

Owns the list of openings. The namespaces deny everything else (namespaces.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.kubernetes.labels import COMPONENT
from components.kubernetes.network_policy import DNS, GOOGLE_METADATA, Flow, Peers, allow

VAULT_API, VAULT_RAFT = 8200, 8201
VAULT_PODS = {"app.kubernetes.io/name": "vault", "component": "server"}
SNAPSHOT_PODS = {COMPONENT: "vault-snapshots"}
ROTATION_PODS = {COMPONENT: "rotation"}


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Addresses outside the pods' network, and a port."""

    cidrs: tuple[str, ...]
    port: int

    def flow(self) -> Flow:
        """Traffic to or from there."""
        return Flow(peers=Peers(cidrs=self.cidrs), ports=(self.port,))


@dataclass(frozen=True, kw_only=True)
class NamespaceNetwork:
    """What one namespace's pods need. `name` waits for the namespace, `key` is the same in plain.

    `webhook_port` is where the API server calls pods of the namespace, `metrics_port` where
    Prometheus does; `reaches_databases` is for pods that Vault makes database logins for,
    `google_identity` for those that act as a Google account.
    """

    key: str
    name: pulumi.Input[str]
    reads_vault: bool = True
    calls_api_server: bool = False
    webhook_port: int | None = None
    reaches_databases: bool = False
    google_identity: bool = False
    metrics_port: int | None = None


@dataclass(frozen=True, kw_only=True)
class NetworkAccessArgs:
    """`clients` are networks outside the cluster from which Vault is reached.

    `object_storage` is where the pods labelled SNAPSHOT_PODS upload snapshots to, `rotated` where
    those labelled ROTATION_PODS change credentials. Vault asks `identity_providers` who somebody
    is; Prometheus runs in the namespace `monitoring`.
    """

    vault_namespace: str
    namespaces: tuple[NamespaceNetwork, ...]
    api_server: Destination
    kms: Destination | None = None
    object_storage: Destination | None = None
    databases: tuple[Destination, ...] = ()
    identity_providers: tuple[Destination, ...] = ()
    rotated: tuple[Destination, ...] = ()
    clients: tuple[str, ...] = ()
    monitoring: str | None = None

    def __post_init__(self) -> None:
        keys = [namespace.key for namespace in self.namespaces]
        if self.vault_namespace not in keys:
            raise ValueError(
                f"vault_namespace: {self.vault_namespace!r} is not among {', '.join(keys)}; Vault "
                "would be cut off. Add its namespace."
            )


class NetworkAccess(pulumi.ComponentResource):
    """Produces one NetworkPolicy for each reason and namespace."""

    def __init__(
        self, name: str, args: NetworkAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:NetworkAccess", name, {}, opts)
        to_vault = Flow(
            peers=Peers(namespaces=(args.vault_namespace,), labels=VAULT_PODS), ports=(VAULT_API,)
        )
        for namespace in args.namespaces:
            prefix = f"{name}-{namespace.key}"
            allow(
                f"{prefix}-dns",
                "allow-dns",
                namespace=namespace.name,
                parent=self,
                egress=[DNS],
            )
            if namespace.reads_vault or namespace.key == args.vault_namespace:
                allow(
                    f"{prefix}-to-vault",
                    "allow-to-vault",
                    namespace=namespace.name,
                    parent=self,
                    egress=[to_vault],
                )
            if namespace.calls_api_server:
                allow(
                    f"{prefix}-to-api-server",
                    "allow-to-api-server",
                    namespace=namespace.name,
                    parent=self,
                    egress=[args.api_server.flow()],
                )
            if namespace.reaches_databases and args.databases:
                allow(
                    f"{prefix}-to-databases",
                    "allow-to-databases",
                    namespace=namespace.name,
                    parent=self,
                    egress=[database.flow() for database in args.databases],
                )
            if namespace.google_identity:
                allow(
                    f"{prefix}-to-metadata",
                    "allow-to-metadata",
                    namespace=namespace.name,
                    parent=self,
                    egress=GOOGLE_METADATA,
                )
            if namespace.metrics_port and args.monitoring:
                prometheus = Peers(namespaces=(args.monitoring,))
                allow(
                    f"{prefix}-metrics",
                    "allow-metrics",
                    namespace=namespace.name,
                    parent=self,
                    ingress=[Flow(peers=prometheus, ports=(namespace.metrics_port,))],
                )
            if namespace.webhook_port:
                from_api_server = Peers(cidrs=args.api_server.cidrs)
                allow(
                    f"{prefix}-webhook",
                    "allow-webhook",
                    namespace=namespace.name,
                    parent=self,
                    ingress=[Flow(peers=from_api_server, ports=(namespace.webhook_port,))],
                )
            if namespace.key == args.vault_namespace:
                self._open_vault(name, namespace, args)
                if args.object_storage:
                    allow(
                        f"{name}-snapshots",
                        "allow-snapshot-upload",
                        namespace=namespace.name,
                        parent=self,
                        pods=SNAPSHOT_PODS,
                        egress=[args.object_storage.flow()],
                    )
                if args.rotated:
                    allow(
                        f"{name}-rotation",
                        "allow-rotation",
                        namespace=namespace.name,
                        parent=self,
                        pods=ROTATION_PODS,
                        egress=[place.flow() for place in args.rotated],
                    )
        self.register_outputs({})

    def _open_vault(self, name: str, vault: NamespaceNetwork, args: NetworkAccessArgs) -> None:
        readers = tuple(n.key for n in args.namespaces if n.reads_vault and n is not vault)
        servers = Peers(labels=VAULT_PODS)
        own_jobs = Flow(peers=Peers(), ports=(VAULT_API,))
        incoming = [Flow(peers=servers, ports=(VAULT_API, VAULT_RAFT)), own_jobs]
        if readers:
            incoming.append(Flow(peers=Peers(namespaces=readers), ports=(VAULT_API,)))
        if args.clients:
            incoming.append(Flow(peers=Peers(cidrs=args.clients), ports=(VAULT_API,)))
        outgoing = [Flow(peers=servers, ports=(VAULT_API, VAULT_RAFT))]
        if args.kms:
            outgoing.append(args.kms.flow())
        outgoing.extend(database.flow() for database in args.databases)
        outgoing.extend(provider.flow() for provider in args.identity_providers)
        allow(
            f"{name}-vault-servers",
            "allow-vault-servers",
            namespace=vault.name,
            parent=self,
            pods=VAULT_PODS,
            ingress=incoming,
            egress=outgoing,
        )
