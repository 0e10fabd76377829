"""What Vault unseals with: the key made or named, and the identity that may use it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.aws import kms as aws_kms
from components.gcp import kms as gcp_kms
from components.kubernetes.labels import standard_labels
from components.kubernetes.namespaces import Namespaces
from components.vault import seal
from settings import Settings
from settings.cloud import Aws, Gcp
from settings.seal import AwsKmsSeal, GcpKmsSeal, ShamirSeal, TransitSeal
from wiring.clouds import STAND_IN_CREDENTIALS, Clouds

STAND_IN_SECRET = "vault-kms-stand-in"  # noqa: S105 -- the name of a Secret


@dataclass(frozen=True, kw_only=True)
class Unsealing:
    """Vault's seal, and what must exist before its pods start."""

    seal: seal.Seal
    waits: tuple[pulumi.Resource, ...] = ()


def unsealing(
    settings: Settings, namespaces: Namespaces, clouds: Clouds, in_cluster: pulumi.ResourceOptions
) -> Unsealing:
    """The seal of the settings with its key."""
    match settings.vault.seal:
        case AwsKmsSeal() as wanted if settings.aws:
            return _awskms(settings, settings.aws, wanted, namespaces, clouds, in_cluster)
        case GcpKmsSeal() as wanted if settings.gcp:
            return _gcpckms(settings, settings.gcp, wanted, clouds)
        case TransitSeal() as wanted:
            return Unsealing(
                seal=seal.transit(
                    address=wanted.address,
                    mount=wanted.mount,
                    key_name=wanted.key_name,
                    token_secret=wanted.token_secret,
                    ca_secret=wanted.ca_secret,
                )
            )
        case ShamirSeal():
            return Unsealing(seal=seal.shamir())
    raise ValueError(f"seal {settings.vault.seal.type}: its cloud has no section in the settings")


def _awskms(
    settings: Settings,
    cloud: Aws,
    wanted: AwsKmsSeal,
    namespaces: Namespaces,
    clouds: Clouds,
    in_cluster: pulumi.ResourceOptions,
) -> Unsealing:
    waits: list[pulumi.Resource] = []
    key = wanted.key
    if wanted.create_key:
        made = aws_kms.KmsKey(
            "vault-unseal-key",
            aws_kms.KmsKeyArgs(
                alias=f"strongroom-{settings.environment}-vault-unseal",
                description="Vault's root key is encrypted by this key",
                account_id=cloud.account_id or "",
                users=(wanted.role,) if wanted.role else (),
                deletion_window=wanted.deletion_window,
                protect=settings.protect,
                stand_in=cloud.endpoint is not None,
            ),
            clouds.aws,
        )
        waits.append(made)
        key = made.alias
    if wanted.endpoint:
        waits.append(_stand_in_credentials(namespaces.names[settings.vault.namespace], in_cluster))
    return Unsealing(
        seal=seal.awskms(
            region=cloud.region,
            key=key or "",
            role=wanted.role,
            endpoint=wanted.endpoint,
            stand_in_credentials=STAND_IN_SECRET if wanted.endpoint else None,
        ),
        waits=tuple(waits),
    )


def _gcpckms(settings: Settings, cloud: Gcp, wanted: GcpKmsSeal, clouds: Clouds) -> Unsealing:
    waits: list[pulumi.Resource] = []
    if wanted.create_key:
        waits.append(
            gcp_kms.KmsKey(
                "vault-unseal-key",
                gcp_kms.KmsKeyArgs(
                    project=cloud.project,
                    location=cloud.region,
                    key_ring=wanted.key_ring,
                    key=wanted.key,
                    service_account=wanted.service_account or "",
                    protect=settings.protect,
                ),
                clouds.gcp,
            )
        )
    return Unsealing(
        seal=seal.gcpckms(
            project=cloud.project,
            region=cloud.region,
            key_ring=wanted.key_ring,
            key=wanted.key,
            service_account=wanted.service_account,
        ),
        waits=tuple(waits),
    )


def _stand_in_credentials(
    namespace: pulumi.Input[str], in_cluster: pulumi.ResourceOptions
) -> k8s.core.v1.Secret:
    return k8s.core.v1.Secret(
        STAND_IN_SECRET,
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=STAND_IN_SECRET, namespace=namespace, labels=standard_labels("vault-seal")
        ),
        string_data=STAND_IN_CREDENTIALS,
        opts=in_cluster,
    )
