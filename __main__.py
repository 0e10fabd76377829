"""The program: settings -> components -> exports. Decides nothing: see settings and components."""

from __future__ import annotations

import sys

import pulumi

from settings import Settings, SettingsError
from settings.loader import load
from vaultops.errors import VaultOpsError
from wiring import (
    cloud_secrets,
    collector,
    delivery,
    external_secrets,
    files,
    kubernetes,
    rotation,
    seal,
    vault,
)
from wiring.clouds import Clouds

# The exit status that tells the engine's Python host: the user has been told, add nothing.
MESSAGE_SHOWN = 32


def deploy(
    settings: Settings, contents: files.Contents, rotation_code: pulumi.Archive | None
) -> None:
    """Register every resource of the stack. `contents` are those of the files it names."""
    clouds = Clouds(settings.aws, settings.gcp)
    in_cluster = kubernetes.options(settings)
    namespaces = kubernetes.namespaces(settings, in_cluster)
    kubernetes.network(settings, namespaces, in_cluster)
    identities = cloud_secrets.identities(settings, clouds)
    kubernetes.workloads(settings, namespaces, identities.annotations, in_cluster)
    vault.database_trust(settings, namespaces, contents, in_cluster)

    unsealing = seal.unsealing(settings, namespaces, clouds, in_cluster)
    servers = vault.cluster(settings, namespaces, unsealing, in_cluster)
    vault.trust(settings, namespaces, servers, in_cluster)
    started = vault.bootstrap(settings, servers, in_cluster)
    in_vault = pulumi.ResourceOptions(providers=[vault.provider(settings, started)])
    access = vault.access(settings, contents, in_vault)
    both = pulumi.ResourceOptions.merge(in_cluster, in_vault)
    vault.snapshots(settings, servers, access.login, both)
    rotation.job(settings, contents, servers, access.login, both)

    delivery.sealed(settings.sealed_secrets, namespaces, in_cluster, protect=settings.protect)
    external_secrets.external(settings, namespaces, servers, access, in_cluster)
    delivery.encrypted_files(settings.sops, in_cluster)

    cloud_secrets.rotating(settings, rotation_code, identities, clouds)

    pulumi.export("environment", str(settings.environment))
    pulumi.export("namespaces", namespaces.names)
    pulumi.export("vault", {"address": started.address, "cluster": started.cluster_id})


def main() -> None:
    """Check the configuration, then deploy it. A wrong one registers nothing."""
    collector.search_rarely()
    try:
        settings = load()
        source = f"Pulumi.{pulumi.get_stack()}.yaml"
        contents = files.read(settings.engines, settings.auth, source=source)
        rotation_code = cloud_secrets.code(settings, source=source)
        vault.log_in(settings)
    except (SettingsError, VaultOpsError) as error:
        pulumi.log.error(str(error))
        sys.exit(MESSAGE_SHOWN)
    deploy(settings, contents, rotation_code)


main()
