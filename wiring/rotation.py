"""Rotations in the cluster: the job, what it may do, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pulumi
import yaml

from components.kubernetes.store_providers import IRSA
from components.vault.auth import KubernetesAuth
from components.vault.cluster import VaultCluster
from components.vault.rotation_job import Followed, RotationJob, RotationJobArgs
from components.vault.rotation_pod import SETTINGS_MOUNT
from rotation import identity
from settings import Settings
from settings.rotation import (
    Credential,
    DatabasePassword,
    Reload,
    Rotation,
    VaultAwsRoot,
    VaultDatabaseRoot,
    VaultStaticRole,
)
from wiring import vault_values
from wiring.files import Contents

_DATABASE_CA = "database-ca.crt"
# What the pod is not told: it has no use for it, and no files of the deployer's machine.
_NOT_TOLD: dict[str, Any] = {
    **dict.fromkeys(
        ("auth", "external_secrets", "grant_files", "grants", "service_accounts"), True
    ),
    **dict.fromkeys(("cloud_secrets", "identities", "sops"), True),
    "kubernetes": {"kubeconfig"},
    "sealed_secrets": {"chart"},
    "vault": {"chart", "tls"},
}


def job(
    settings: Settings,
    contents: Contents,
    servers: VaultCluster,
    login: KubernetesAuth,
    opts: pulumi.ResourceOptions,
) -> None:
    """The scheduled job, where the settings have one; `opts` holds both providers."""
    wanted = settings.rotation.job
    if wanted is None or not settings.rotation.credentials:
        return
    authority = contents.get("engines.database.caFile")
    RotationJob(
        "rotation",
        RotationJobArgs(
            namespace=servers.namespace,
            image=vault_values.image(wanted.image),
            schedule=wanted.schedule,
            identity=identity.NAME,
            auth_path=login.path,
            paths=paths(settings),
            settings=told(settings),
            files={_DATABASE_CA: authority} if authority else {},
            followed=followed(settings.rotation),
            cloud_identity=({IRSA: wanted.identity} if wanted.identity else {}),
        ),
        opts,
    )


def paths(settings: Settings) -> identity.Paths:
    """The rotation's policy: what all of its credentials need together."""
    rotation = settings.rotation
    return identity.merged(
        [
            identity.common_paths(rotation.events_key),
            *(part for one in rotation.credentials for part in _needs(one, settings)),
        ]
    )


def told(settings: Settings) -> str:
    """The part of the stack's settings that rotations need, as a stack file's text."""
    sections: dict[str, Any] = settings.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude=_NOT_TOLD
    )
    database = sections.get("engines", {}).get("database")
    if database:
        database["caFile"] = str(PurePosixPath(SETTINGS_MOUNT, _DATABASE_CA))
    text: str = yaml.safe_dump(
        {"config": {f"strongroom:{name}": value for name, value in sections.items()}}
    )
    return text


def followed(rotation: Rotation) -> tuple[Followed, ...]:
    """Every workload that a rotation waits for, each once."""
    found: dict[tuple[str, str], Followed] = {}
    for credential in rotation.credentials:
        for one in getattr(credential, "consumers", ()):
            before = found.get((one.namespace, one.workload))
            found[one.namespace, one.workload] = Followed(
                namespace=one.namespace,
                workload=one.workload,
                rolls_out=one.reload is Reload.ROLLOUT or (before is not None and before.rolls_out),
                asks_pods=one.endpoint is not None or (before is not None and before.asks_pods),
                external_secret=one.waits_for or (before.external_secret if before else None),
            )
    return tuple(found.values())


def _needs(credential: Credential, settings: Settings) -> Iterator[identity.Paths]:
    published = getattr(credential, "publish", None)
    if published and published.vault:
        yield identity.document_paths(published.vault)
    database = settings.engines.database
    match credential:
        case DatabasePassword():
            yield identity.admin_paths(credential.admin)
        case VaultStaticRole():
            yield identity.static_role_paths(credential.role)
        case VaultDatabaseRoot() if database:
            yield identity.database_root_paths(database.database)
        case VaultAwsRoot():
            yield identity.aws_root_paths()
