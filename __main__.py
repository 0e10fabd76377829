"""The program: settings -> components -> exports. Decides nothing: see settings and components."""

from __future__ import annotations

import sys

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.namespaces import (
    NamespaceArgs,
    Namespaces,
    NamespacesArgs,
    PodSecurityLevel,
)
from components.kubernetes.network_access import (
    Destination,
    NamespaceNetwork,
    NetworkAccess,
    NetworkAccessArgs,
)
from components.kubernetes.workload_rbac import WorkloadAccess, WorkloadAccessArgs
from settings import Settings, SettingsError, load

# The exit status that tells the engine's Python host: the user has been told, add nothing.
MESSAGE_SHOWN = 32


def deploy(settings: Settings) -> None:
    """Register every resource of the stack."""
    kubernetes = k8s.Provider(
        "k8s",
        kubeconfig=settings.kubernetes.kubeconfig,
        context=settings.kubernetes.context,
        enable_server_side_apply=True,
    )
    in_cluster = pulumi.ResourceOptions(providers=[kubernetes])

    namespaces = Namespaces(
        "namespaces",
        NamespacesArgs(
            namespaces=tuple(
                NamespaceArgs(
                    name=n.name, purpose=n.purpose, level=PodSecurityLevel(n.pod_security)
                )
                for n in settings.namespaces
            ),
            protect=settings.protect,
        ),
        in_cluster,
    )
    network = settings.network
    NetworkAccess(
        "network",
        NetworkAccessArgs(
            vault_namespace=settings.vault.namespace,
            namespaces=tuple(
                NamespaceNetwork(
                    key=n.name,
                    name=namespaces.names[n.name],
                    reads_vault=n.reads_vault,
                    calls_api_server=n.calls_api_server,
                    webhook_port=n.webhook_port,
                )
                for n in settings.namespaces
            ),
            api_server=Destination(cidrs=network.api_server.cidrs, port=network.api_server.port),
            kms=Destination(cidrs=network.kms.cidrs, port=network.kms.port)
            if network.kms
            else None,
            databases=tuple(Destination(cidrs=d.cidrs, port=d.port) for d in network.databases),
            clients=network.clients,
        ),
        in_cluster,
    )
    for account in settings.service_accounts:
        WorkloadAccess(
            f"{account.namespace}-{account.name}",
            WorkloadAccessArgs(
                account=account.name,
                namespace=namespaces.names[account.namespace],
                secret_names=account.secret_names,
                jobs=account.jobs,
            ),
            in_cluster,
        )

    pulumi.export("environment", str(settings.environment))
    pulumi.export("namespaces", namespaces.names)


def main() -> None:
    """Check the configuration, then deploy it. A wrong one registers nothing."""
    try:
        settings = load()
    except SettingsError as error:
        pulumi.log.error(str(error))
        sys.exit(MESSAGE_SHOWN)
    deploy(settings)


main()
