"""The cluster's own part: namespaces, what may talk to what, and the workloads' identities."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.field_manager import applied_as
from components.kubernetes.namespaces import (
    NamespaceArgs,
    Namespaces,
    NamespacesArgs,
    PodSecurityLevel,
)
from components.kubernetes.network_access import (
    VAULT_API,
    Destination,
    NamespaceNetwork,
    NetworkAccess,
    NetworkAccessArgs,
)
from components.kubernetes.workload_rbac import WorkloadAccess, WorkloadAccessArgs
from settings import Settings
from settings.cloud import Cloud
from settings.kubernetes import Endpoint

# Where the two charts' pods serve metrics.
SEALED_SECRETS_METRICS, OPERATOR_METRICS = 8081, 8080

CloudIdentities = Mapping[tuple[str, str], Mapping[str, str]]
"""The annotations of accounts, by namespace and name."""


def options(settings: Settings) -> pulumi.ResourceOptions:
    """Deploy into exactly the cluster named in the settings, by the stack's own name."""
    provider = k8s.Provider(
        "k8s",
        kubeconfig=settings.kubernetes.kubeconfig,
        context=settings.kubernetes.context,
        enable_server_side_apply=True,
        # Otherwise a changed value deletes the object and makes another: pods would lose the
        # certificate that they have mounted, in the middle of its renewal.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
    )
    name = f"{pulumi.get_project()}-{pulumi.get_stack()}"
    return pulumi.ResourceOptions(providers=[provider], transforms=[applied_as(name)])


def namespaces(settings: Settings, opts: pulumi.ResourceOptions) -> Namespaces:
    """Every namespace, closed."""
    return Namespaces(
        "namespaces",
        NamespacesArgs(
            namespaces=tuple(
                NamespaceArgs(
                    name=n.name,
                    purpose=n.purpose,
                    level=PodSecurityLevel(n.pod_security),
                    vault_agent=n.vault_agent,
                )
                for n in settings.namespaces
            ),
            protect=settings.protect,
        ),
        opts,
    )


def network(settings: Settings, made: Namespaces, opts: pulumi.ResourceOptions) -> NetworkAccess:
    """What is let through between the closed namespaces, and out of them."""
    wanted = settings.network
    with_logins = {
        namespace
        for grant in settings.grants
        if grant.database or grant.database_static
        for namespace in grant.namespaces
    }
    with_google = _google_namespaces(settings)
    metrics = _metrics_ports(settings)
    return NetworkAccess(
        "network",
        NetworkAccessArgs(
            vault_namespace=settings.vault.namespace,
            namespaces=tuple(
                NamespaceNetwork(
                    key=n.name,
                    name=made.names[n.name],
                    reads_vault=n.reads_vault,
                    calls_api_server=n.calls_api_server,
                    webhook_port=n.webhook_port,
                    reaches_databases=n.name in with_logins,
                    google_identity=n.name in with_google,
                    metrics_port=metrics.get(n.name),
                )
                for n in settings.namespaces
            ),
            api_server=_destination(wanted.api_server),
            kms=_destination(wanted.kms) if wanted.kms else None,
            object_storage=_destination(wanted.object_storage) if wanted.object_storage else None,
            databases=tuple(_destination(database) for database in wanted.databases),
            identity_providers=tuple(_destination(one) for one in wanted.identity_providers),
            rotated=tuple(_destination(one) for one in _rotated(settings)),
            clients=wanted.clients,
            monitoring=wanted.monitoring,
        ),
        opts,
    )


def workloads(
    settings: Settings,
    made: Namespaces,
    identities: CloudIdentities,
    opts: pulumi.ResourceOptions,
) -> None:
    """A service account, what it may do at the API server, and who it is to a cloud."""
    for account in settings.service_accounts:
        WorkloadAccess(
            f"{account.namespace}-{account.name}",
            WorkloadAccessArgs(
                account=account.name,
                namespace=made.names[account.namespace],
                secret_names=account.secret_names,
                jobs=account.jobs,
                cloud_identity=identities.get((account.namespace, account.name), {}),
            ),
            opts,
        )


def _google_namespaces(settings: Settings) -> set[str]:
    """Where pods act as Google accounts: Vault and its snapshots, the operator, workloads."""
    if settings.cloud is not Cloud.GCP:
        return set()
    accounts = settings.identities.google.accounts if settings.identities.google else ()
    found = {settings.vault.namespace, *(account.namespace for account in accounts)}
    if settings.external_secrets.enabled:
        found.add(settings.external_secrets.namespace)
    return found


def _rotated(settings: Settings) -> tuple[Endpoint, ...]:
    """Where the rotation job changes credentials: in databases, and at AWS."""
    job = settings.rotation.job
    return (*settings.network.databases, *job.endpoints) if job else ()


def _metrics_ports(settings: Settings) -> dict[str, int]:
    """Where Prometheus is told to read metrics, by namespace."""
    vault, sealed, external = settings.vault, settings.sealed_secrets, settings.external_secrets
    ports = {}
    if vault.telemetry.enabled and vault.telemetry.service_monitor:
        ports[vault.namespace] = VAULT_API
    if sealed.enabled and sealed.service_monitor:
        ports[sealed.namespace] = SEALED_SECRETS_METRICS
    if external.enabled and external.service_monitor:
        ports[external.namespace] = OPERATOR_METRICS
    return ports


def _destination(endpoint: Endpoint) -> Destination:
    return Destination(cidrs=endpoint.cidrs, port=endpoint.port)
