"""The pods that take a snapshot and that check how old the newest one is, as Kubernetes has them.

Owns containers, volumes and what they may do: everything fits the "restricted" Pod Security level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.vault.pod_values import CONTAINER_SECURITY, POD_SECURITY, TMP_MOUNT
from components.vault.snapshot_destinations import Destination, ToVolume
from components.vault.snapshot_scripts import KEEP_NEWEST, SAVE
from components.vault.tls import API_PORT, CA_CONFIG_MAP, CA_KEY

FOLDER = "/snapshots"
CA_MOUNT = "/vault/ca"
IDENTITY_MOUNT = "/var/run/secrets/vault"
SAVE_SECONDS = 1800
CHECK_SECONDS = 300
# An empty Vault's snapshot is several times larger: the keyring, mounts and policies are in it.
MINIMUM_BYTES = 4096

_SMALL = {
    "requests": {"memory": "64Mi", "cpu": "50m"},
    "limits": {"memory": "256Mi", "cpu": "500m"},
}
_CLOUD_CLI = {
    "requests": {"memory": "128Mi", "cpu": "100m"},
    "limits": {"memory": "512Mi", "cpu": "1"},
}
_TMP = {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
_SNAPSHOTS = {"name": "snapshots", "mountPath": FOLDER}


def saving_pod(
    *,
    image: str,
    release: str,
    account: pulumi.Input[str],
    audience: str,
    auth_path: pulumi.Input[str],
    role: pulumi.Input[str],
    destination: Destination,
    claim: pulumi.Input[str] | None,
) -> dict[str, Any]:
    """Log in, take a snapshot, verify it, and keep it on the claim or upload it."""
    keeps = isinstance(destination, ToVolume)
    save = _container(
        "save",
        image,
        SAVE + KEEP_NEWEST if keeps else SAVE,
        {
            "FOLDER": FOLDER,
            "MINIMUM_BYTES": str(MINIMUM_BYTES),
            "STALE_MINUTES": str(SAVE_SECONDS // 60),
            "AUTH_PATH": auth_path,
            "ROLE": role,
            "JWT_FILE": f"{IDENTITY_MOUNT}/token",
            # In the certificate, and resolved within Vault's own namespace only.
            "VAULT_ADDR": f"https://{release}-active:{API_PORT}",
            "VAULT_CACERT": f"{CA_MOUNT}/{CA_KEY}",
            # The client's default of a minute would cut off a large snapshot.
            "VAULT_CLIENT_TIMEOUT": f"{SAVE_SECONDS}s",
            **({"RETAIN": str(destination.retain)} if isinstance(destination, ToVolume) else {}),
        },
        mounts=[
            _SNAPSHOTS,
            {"name": "ca", "mountPath": CA_MOUNT, "readOnly": True},
            {"name": "identity", "mountPath": IDENTITY_MOUNT, "readOnly": True},
        ],
    )
    identity = {
        "serviceAccountToken": {"path": "token", "audience": audience, "expirationSeconds": 3600}
    }
    volumes = [
        {"name": "ca", "configMap": {"name": CA_CONFIG_MAP}},
        {"name": "identity", "projected": {"defaultMode": 0o440, "sources": [identity]}},
    ]
    if isinstance(destination, ToVolume):
        volumes.append({"name": "snapshots", "persistentVolumeClaim": {"claimName": claim}})
        return _pod(account, containers=[save], volumes=volumes)
    volumes.append({"name": "snapshots", "emptyDir": {"sizeLimit": destination.scratch}})
    upload = _container(
        "upload",
        destination.image,
        destination.upload_script,
        {"FOLDER": FOLDER, **_bucket(destination)},
        mounts=[{**_SNAPSHOTS, "readOnly": True}],
        resources=_CLOUD_CLI,
    )
    return _pod(account, before=[save], containers=[upload], volumes=volumes)


def checking_pod(
    *,
    image: str,
    account: pulumi.Input[str],
    destination: Destination,
    claim: pulumi.Input[str] | None,
    max_age_seconds: int,
) -> dict[str, Any]:
    """Fail when the destination holds no snapshot younger than `max_age_seconds`."""
    limit = {"MAX_AGE_SECONDS": str(max_age_seconds)}
    if isinstance(destination, ToVolume):
        check = _container(
            "check",
            image,
            destination.fresh_script,
            {"FOLDER": FOLDER, **limit},
            mounts=[{**_SNAPSHOTS, "readOnly": True}],
        )
        held = {
            "name": "snapshots",
            "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
        }
        return _pod(account, containers=[check], volumes=[held])
    check = _container(
        "check",
        destination.image,
        destination.fresh_script,
        {**limit, **_bucket(destination)},
        mounts=[],
        resources=_CLOUD_CLI,
    )
    return _pod(account, containers=[check], volumes=[])


def _bucket(destination: Destination) -> dict[str, str]:
    if isinstance(destination, ToVolume):
        return {}
    return {
        "BUCKET": destination.bucket,
        "PREFIX": destination.prefix,
        **destination.environment,
    }


def _container(
    name: str,
    image: str,
    script: str,
    environment: Mapping[str, pulumi.Input[str]],
    *,
    mounts: list[dict[str, Any]],
    resources: dict[str, Any] = _SMALL,
) -> dict[str, Any]:
    variables = {"HOME": TMP_MOUNT, **environment}
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-euc", script],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "securityContext": CONTAINER_SECURITY,
        "resources": resources,
        "volumeMounts": [{"name": "tmp", "mountPath": TMP_MOUNT}, *mounts],
    }


def _pod(
    account: pulumi.Input[str],
    *,
    containers: list[dict[str, Any]],
    volumes: list[dict[str, Any]],
    before: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": POD_SECURITY,
        **({"initContainers": before} if before else {}),
        "containers": containers,
        "volumes": [_TMP, *volumes],
    }
