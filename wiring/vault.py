"""Vault from its servers to its grants: cluster, bootstrap, provider, login, engines, grants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pulumi
import pulumi_vault as vault

from components.kubernetes.namespaces import Namespaces
from components.vault.auth import KubernetesAuth, KubernetesAuthArgs
from components.vault.aws_root_key import DeployerLogin
from components.vault.bootstrap import VaultBootstrap, VaultBootstrapArgs
from components.vault.cluster import ChartOrigin, ChartSource, VaultCluster, VaultClusterArgs
from components.vault.grant import VaultGrant, VaultGrantArgs
from components.vault.kv import KvEngine, KvEngineArgs
from components.vault.snapshots import SnapshotJob, SnapshotJobArgs
from components.vault.trust import DATABASE_CA_CONFIG_MAP, Trust, TrustArgs
from settings import Settings
from vaultops import deployer
from wiring import auth, engines, vault_values
from wiring.files import Contents
from wiring.seal import Unsealing

RELEASE = "vault"


@dataclass(frozen=True, kw_only=True)
class Access:
    """How workloads log in, and the role of each grant by the grant's name."""

    login: KubernetesAuth
    roles: dict[str, pulumi.Output[str]]


def log_in(settings: Settings) -> None:
    """Renew the deployer's token before anything is declared; without a Vault nothing happens."""
    configured = settings.vault
    found = deployer.refresh(
        deployer.DeployerAccess(
            address=configured.address,
            token_file=Path(configured.deployer.token_file),
            namespace=configured.namespace,
            token_ttl=str(configured.deployer.token_ttl),
            kubeconfig=settings.kubernetes.kubeconfig,
            context=settings.kubernetes.context,
        )
    )
    if found is deployer.Refreshed.EXPIRED:
        pulumi.log.warn("Vault's certificate has expired; this deployment renews it")


def cluster(
    settings: Settings,
    namespaces: Namespaces,
    unsealing: Unsealing,
    opts: pulumi.ResourceOptions,
) -> VaultCluster:
    """Vault's servers, running and not yet initialised."""
    configured = settings.vault
    host = urlsplit(configured.address).hostname
    return VaultCluster(
        "vault",
        VaultClusterArgs(
            namespace=namespaces.names[configured.namespace],
            namespace_name=configured.namespace,
            values=vault_values.values(settings, unsealing, RELEASE),
            chart=ChartSource(
                origin=ChartOrigin(configured.chart.source),
                location=configured.chart.location,
                version=configured.chart.version,
            ),
            tls=vault_values.certificate_source(configured.tls),
            client_hosts=(host,) if host else (),
            chart_wait=unsealing.waits,
            protect=settings.protect,
        ),
        opts,
    )


def trust(
    settings: Settings,
    namespaces: Namespaces,
    servers: VaultCluster,
    opts: pulumi.ResourceOptions,
) -> None:
    """Vault's CA in every namespace whose pods may reach Vault; its own has it already."""
    readers = [n.name for n in settings.namespaces if n.reads_vault]
    Trust(
        "vault-trust",
        TrustArgs(
            namespaces={
                name: namespaces.names[name] for name in readers if name != settings.vault.namespace
            },
            ca_pem=servers.ca_pem,
        ),
        opts,
    )


def database_trust(
    settings: Settings,
    namespaces: Namespaces,
    contents: Contents,
    opts: pulumi.ResourceOptions,
) -> None:
    """The database's CA in every namespace where a grant gives logins of it."""
    users = (g for g in settings.grants if g.database or g.database_static)
    readers = sorted({name for grant in users for name in grant.namespaces})
    if readers:
        Trust(
            "postgresql-trust",
            TrustArgs(
                namespaces={name: namespaces.names[name] for name in readers},
                ca_pem=contents["engines.database.caFile"],
                config_map=DATABASE_CA_CONFIG_MAP,
            ),
            opts,
        )


def bootstrap(
    settings: Settings, servers: VaultCluster, opts: pulumi.ResourceOptions
) -> VaultBootstrap:
    """Vault initialised, unsealed, audited, and without a root token."""
    configured = settings.vault
    cloud = settings.aws.model_dump(include={"region", "endpoint"}) if settings.aws else {}
    if settings.gcp:
        cloud["project"] = settings.gcp.project
    autopilot = configured.autopilot
    return VaultBootstrap(
        "vault-bootstrap",
        VaultBootstrapArgs(
            namespace=servers.namespace,
            address=configured.address,
            replicas=configured.replicas,
            seal=str(configured.seal.type),
            ca_pem=servers.ca_pem,
            ready=servers.ready,
            custodian=cloud | configured.custodian.model_dump(mode="json"),
            token_file=configured.deployer.token_file,
            token_ttl=str(configured.deployer.token_ttl),
            kubeconfig=settings.kubernetes.kubeconfig,
            context=settings.kubernetes.context,
            release=RELEASE,
            autopilot={
                "cleanup_dead_servers": autopilot.cleanup_dead_servers,
                "min_quorum": autopilot.min_quorum,
                "dead_server_last_contact_threshold": str(
                    autopilot.dead_server_last_contact_threshold
                ),
                "server_stabilization_time": str(autopilot.server_stabilization_time),
            },
        ),
        opts,
    )


def provider(settings: Settings, started: VaultBootstrap) -> vault.Provider:
    """The one Vault provider. Its address is unknown exactly while there is no Vault yet."""
    token_file = Path(settings.vault.deployer.token_file)
    return vault.Provider(
        "vault",
        address=started.address,
        ca_cert_file=str(deployer.ca_file(token_file)),
        auth_login_token_file=vault.ProviderAuthLoginTokenFileArgs(filename=str(token_file)),
        skip_child_token=True,
    )


def snapshots(
    settings: Settings,
    servers: VaultCluster,
    login: KubernetesAuth,
    opts: pulumi.ResourceOptions,
) -> None:
    """Raft snapshots on a schedule; `opts` holds both providers."""
    kept = settings.vault.snapshots
    if kept.enabled:
        SnapshotJob(
            "vault-snapshots",
            SnapshotJobArgs(
                namespace=servers.namespace,
                image=vault_values.image(settings.vault.image),
                auth_path=login.path,
                schedule=kept.schedule,
                max_age_seconds=kept.max_age.seconds,
                destination=vault_values.destination(settings, kept),
                release=RELEASE,
            ),
            opts,
        )


def access(
    settings: Settings,
    contents: Contents,
    opts: pulumi.ResourceOptions,
) -> Access:
    """How clients log in, where secrets come from, and which workload gets which.

    `contents` are those of the files that the settings name.
    """
    login = KubernetesAuth("kubernetes-auth", KubernetesAuthArgs(), opts)
    kept = KvEngineArgs(max_versions=settings.engines.max_versions, protect=settings.protect)
    KvEngine("kv", kept, opts)
    engines.engines(
        settings.engines,
        contents,
        address=settings.vault.address,
        deployer=DeployerLogin(
            address=settings.vault.address,
            token_file=settings.vault.deployer.token_file,
            ca_file=str(deployer.ca_file(Path(settings.vault.deployer.token_file))),
        ),
        aws=settings.aws,
        protect=settings.protect,
        opts=opts,
    )
    auth.methods(settings.auth, contents, aws=settings.aws, opts=opts)
    roles = {
        grant.name: VaultGrant(
            f"grant-{grant.name}", VaultGrantArgs(grant=grant, auth_path=login.path), opts
        ).role
        for grant in settings.grants
    }
    return Access(login=login, roles=roles)
