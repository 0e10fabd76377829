"""External Secrets Operator from the settings: operator, stores, Secrets, pushes, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from access.grant import Grant
from components.kubernetes.external_secret import (
    Entry,
    ExternalSecret,
    ExternalSecretArgs,
    Extract,
    Generated,
)
from components.kubernetes.external_secrets import ExternalSecretsArgs, ExternalSecretsOperator
from components.kubernetes.external_secrets_values import OperatorValues
from components.kubernetes.namespaces import Namespaces
from components.kubernetes.network_access import Destination
from components.kubernetes.push_secret import PushSecret, PushSecretArgs, UpdatePolicy
from components.kubernetes.secret_store import (
    ClusterSecretStore,
    ClusterSecretStoreArgs,
    SecretStore,
    SecretStoreArgs,
)
from components.kubernetes.store_providers import (
    AwsSecretsManager,
    GoogleSecretManager,
    StoreProvider,
    VaultSource,
)
from components.kubernetes.vault_generator import VaultGenerator, VaultGeneratorArgs
from components.vault.cluster import ChartOrigin, ChartSource, VaultCluster
from components.vault.pod_values import Image
from settings import Settings
from settings import external_secrets as wanted
from settings.cloud import Aws, Gcp
from wiring.vault import RELEASE, Access

KV_MOUNT = "secret"

Store = SecretStore | ClusterSecretStore


@dataclass(frozen=True, kw_only=True)
class VaultAccess:
    """Vault as stores see it, inside the cluster. `roles` are those of the grants, by grant."""

    address: str
    ca_pem: pulumi.Input[str]
    auth_path: pulumi.Input[str]
    grants: Mapping[str, Grant]
    roles: Mapping[str, pulumi.Input[str]]

    def source(self, grant: str) -> VaultSource:
        """What the grant reads."""
        return VaultSource(
            address=self.address,
            ca_pem=self.ca_pem,
            role=self.roles[grant],
            audience=self.grants[grant].audience,
            auth_path=self.auth_path,
            mount=KV_MOUNT,
        )


@dataclass(frozen=True, kw_only=True)
class External:
    """What every part needs: the settings, Vault, clouds, namespaces and the cluster's provider."""

    configured: wanted.ExternalSecrets
    vault: VaultAccess
    aws: Aws | None
    gcp: Gcp | None
    namespaces: Namespaces
    opts: pulumi.ResourceOptions
    protect: bool = False


def external(
    settings: Settings,
    namespaces: Namespaces,
    servers: VaultCluster,
    access: Access,
    opts: pulumi.ResourceOptions,
) -> None:
    """What the settings name, out of the Vault that this program deploys."""
    deploy(
        External(
            configured=settings.external_secrets,
            vault=VaultAccess(
                address=f"https://{RELEASE}-active.{settings.vault.namespace}.svc:8200",
                ca_pem=servers.ca_pem,
                auth_path=access.login.path,
                grants={grant.name: grant for grant in settings.grants},
                roles=access.roles,
            ),
            aws=settings.aws,
            gcp=settings.gcp,
            namespaces=namespaces,
            opts=opts,
            protect=settings.protect,
        )
    )


def deploy(external: External) -> None:
    """The operator and everything that it copies."""
    if not external.configured.enabled:
        return
    operator = _operator(external)
    wanted_stores = {store.name: store for store in external.configured.stores}
    stores = {name: _store(external, operator, store) for name, store in wanted_stores.items()}
    for secret in external.configured.secrets:
        _secret(external, secret, wanted_stores[secret.store], stores[secret.store])
    for push in external.configured.pushes:
        PushSecret(
            f"push-{push.namespace}-{push.name}",
            PushSecretArgs(
                secret_name=push.name,
                namespace=external.namespaces.names[push.namespace],
                store=stores[push.store].ref,
                keys=push.keys,
                update=UpdatePolicy.REPLACE if push.replace else UpdatePolicy.IF_NOT_EXISTS,
                wait=push.wait,
                waits=[stores[push.store]],
            ),
            external.opts,
        )


def _operator(external: External) -> ExternalSecretsOperator:
    configured = external.configured
    chart = configured.chart
    return ExternalSecretsOperator(
        "external-secrets",
        ExternalSecretsArgs(
            namespace=external.namespaces.names[configured.namespace],
            values=OperatorValues(
                image=Image(repository=configured.image.repository, tag=configured.image.tag),
                replicas=configured.replicas,
                cluster_stores=any(store.shared_with for store in configured.stores),
                push_secrets=bool(configured.pushes),
                service_monitor=configured.service_monitor,
                aws_endpoint=configured.aws_endpoint,
            ),
            chart=ChartSource(
                origin=ChartOrigin(chart.source), location=chart.location, version=chart.version
            ),
            stores=tuple(Destination(cidrs=e.cidrs, port=e.port) for e in configured.endpoints),
            protect=external.protect,
            waits=[external.namespaces],
        ),
        external.opts,
    )


def _store(external: External, operator: ExternalSecretsOperator, store: wanted.Store) -> Store:
    name = f"store-{store.name}"
    if store.shared_with:
        return ClusterSecretStore(
            name,
            ClusterSecretStoreArgs(
                store_name=store.name,
                namespace=external.namespaces.names[store.namespace],
                provider=_provider(external, store),
                account=store.account,
                operator=operator.identity,
                wait=store.wait,
                waits=[operator],
                shared_with=store.shared_with,
            ),
            external.opts,
        )
    return SecretStore(
        name,
        SecretStoreArgs(
            store_name=store.name,
            namespace=external.namespaces.names[store.namespace],
            provider=_provider(external, store),
            account=store.account,
            operator=operator.identity,
            wait=store.wait,
            waits=[operator],
        ),
        external.opts,
    )


def _provider(external: External, store: wanted.Store) -> StoreProvider:
    match store:
        case wanted.VaultStore():
            return external.vault.source(store.grant)
        case wanted.AwsStore() if external.aws:
            return AwsSecretsManager(region=external.aws.region, role=store.role)
        case wanted.GcpStore() if external.gcp:
            return GoogleSecretManager(
                project=external.gcp.project, service_account=store.service_account
            )
    raise ValueError(f"store {store.name}: its cloud has no section in the settings")


def _secret(external: External, secret: wanted.Secret, store: wanted.Store, made: Store) -> None:
    name = f"{secret.namespace}-{secret.name}"
    waits: list[pulumi.Resource] = [made]
    sources: list[Extract | Generated] = [
        Extract(remote=_within(store, remote)) for remote in secret.extract
    ]
    if secret.generate and isinstance(store, wanted.VaultStore):
        waits.append(
            VaultGenerator(
                f"generator-{name}",
                VaultGeneratorArgs(
                    generator_name=secret.name,
                    namespace=external.namespaces.names[secret.namespace],
                    source=external.vault.source(store.grant),
                    account=store.account,
                    path=secret.generate,
                    waits=[made],
                ),
                external.opts,
            )
        )
        sources.append(Generated(generator=secret.name))
    ExternalSecret(
        f"external-{name}",
        ExternalSecretArgs(
            secret_name=secret.name,
            namespace=external.namespaces.names[secret.namespace],
            refresh_seconds=secret.refresh.seconds,
            store=made.ref,
            data=tuple(
                Entry(key=entry.key, remote=_within(store, entry.remote), prop=entry.property)
                for entry in secret.data
            ),
            data_from=tuple(sources),
            template=secret.template,
            wait=secret.wait,
            waits=waits,
        ),
        external.opts,
    )


def _within(store: wanted.Store, remote: str) -> str:
    """The path within the store: grants name Vault's secrets with their mount, stores without."""
    if isinstance(store, wanted.VaultStore):
        return remote.removeprefix(f"{KV_MOUNT}/")
    return remote
