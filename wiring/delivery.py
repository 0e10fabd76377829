"""How secrets reach the cluster, from the settings: sealed files, and encrypted ones by Flux.

Secrets from external stores are wiring/external_secrets.py.
"""

from __future__ import annotations

import pulumi

from components.kubernetes.namespaces import Namespaces
from components.kubernetes.sealed_secrets import SealedSecretsArgs, SealedSecretsController
from components.sops.flux import EncryptedFiles, EncryptedFilesArgs
from components.vault.cluster import ChartOrigin, ChartSource
from components.vault.pod_values import Image
from settings.sealed_secrets import SealedSecrets
from settings.sops import Sops


def sealed(
    configured: SealedSecrets,
    namespaces: Namespaces,
    opts: pulumi.ResourceOptions,
    *,
    protect: bool = False,
) -> None:
    """The controller that opens sealed files. With `protect` what it opened outlives it."""
    if not configured.enabled:
        return
    chart = configured.chart
    SealedSecretsController(
        "sealed-secrets",
        SealedSecretsArgs(
            namespace=namespaces.names[configured.namespace],
            namespace_name=configured.namespace,
            image=Image(repository=configured.image.repository, tag=configured.image.tag),
            chart=ChartSource(
                origin=ChartOrigin(chart.source), location=chart.location, version=chart.version
            ),
            opened_in=configured.opened_in,
            key_renew_seconds=configured.key_renew_period.seconds,
            keys_made_before=configured.keys_made_before,
            sealers=configured.sealers,
            service_monitor=configured.service_monitor,
            protect=protect,
            waits=[namespaces],
        ),
        opts,
    )


def encrypted_files(configured: Sops | None, opts: pulumi.ResourceOptions) -> None:
    """What Flux decrypts and applies. Its namespace is Flux's own and not made here."""
    if configured is None or configured.flux is None:
        return
    flux = configured.flux
    EncryptedFiles(
        "encrypted-files",
        EncryptedFilesArgs(
            kustomization="encrypted-secrets",
            namespace=flux.namespace,
            source=flux.source,
            folder=configured.folder,
            age_secret=flux.age_secret,
            service_account=flux.service_account,
            prune=flux.prune,
        ),
        opts,
    )
