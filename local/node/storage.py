"""Dynamic volumes: a folder of this machine for each claim of StorageClass `local-path`.

A volume outlives its pods and goes with its claim, files included. Sizes are not enforced: a
folder has none. Runs as `python -m local.node.storage INSTANCE`.
"""

from __future__ import annotations

import re
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Protocol

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from local.node.layout import NODE_NAME, PROVISIONER, STORAGE_CLASS, Layout
from local.paths import Instance

_PERIOD_SECONDS = 1.0
_VOLUME_NAME = re.compile(r"pvc-[0-9a-f-]{36}")
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
_SELECTED_NODE = "volume.kubernetes.io/selected-node"


class VolumeApi(Protocol):
    """The part of the API that volumes need; `kubernetes.client.CoreV1Api` has it."""

    def list_persistent_volume_claim_for_all_namespaces(self, **arguments: Any) -> Any:
        """Every claim."""

    def list_persistent_volume(self, **arguments: Any) -> Any:
        """Every volume."""

    def create_persistent_volume(self, body: Any) -> Any:
        """Create one."""

    def delete_persistent_volume(self, name: str) -> Any:
        """Delete one."""


def reconcile(api: VolumeApi, folder: Path) -> list[str]:
    """Make volumes for waiting claims, remove released ones; returns what was done, a line each."""
    done = []
    volumes = {volume.metadata.name: volume for volume in api.list_persistent_volume().items}
    for claim in api.list_persistent_volume_claim_for_all_namespaces().items:
        name = f"pvc-{claim.metadata.uid}"
        if name not in volumes and _waits_for_us(claim):
            path = folder / name
            path.mkdir(parents=True, exist_ok=True)
            # Any user of a container may write; the folder above is open to root only.
            path.chmod(0o777)
            api.create_persistent_volume(_volume(name, claim, path))
            done.append(f"made {name} for {claim.metadata.namespace}/{claim.metadata.name}")
    for name, volume in volumes.items():
        if _released(volume):
            if not _VOLUME_NAME.fullmatch(name):
                done.append(f"left {name}: not a name that this provisioner gives")
                continue
            if (folder / name).exists():
                shutil.rmtree(folder / name)
            api.delete_persistent_volume(name)
            done.append(f"removed {name}")
    return done


def _waits_for_us(claim: Any) -> bool:
    annotations = claim.metadata.annotations or {}
    return (
        claim.spec.storage_class_name == STORAGE_CLASS
        and claim.status.phase == "Pending"
        and claim.metadata.deletion_timestamp is None
        and annotations.get(_SELECTED_NODE) == NODE_NAME
    )


def _released(volume: Any) -> bool:
    return (
        (volume.metadata.annotations or {}).get(_PROVISIONED_BY) == PROVISIONER
        and volume.spec.persistent_volume_reclaim_policy == "Delete"
        and volume.status.phase in ("Released", "Failed")
    )


def _volume(name: str, claim: Any, path: Path) -> dict[str, Any]:
    requirement = {
        "key": "kubernetes.io/hostname",
        "operator": "In",
        "values": [NODE_NAME],
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": claim.spec.resources.requests["storage"]},
            "accessModes": claim.spec.access_modes,
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
            "volumeMode": "Filesystem",
            "local": {"path": str(path)},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [requirement]}]}
            },
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.metadata.namespace,
                "name": claim.metadata.name,
                "uid": claim.metadata.uid,
            },
        },
    }


def serve(layout: Layout) -> None:
    """Reconcile until SIGTERM; an API server that is away is waited for."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    config.load_kube_config(str(layout.config / "storage.kubeconfig"))
    api = client.CoreV1Api()
    said = ""
    while not stop.wait(_PERIOD_SECONDS):
        try:
            for line in reconcile(api, layout.volumes):
                print(line, flush=True)
            said = ""
        except (ApiException, HTTPError, OSError) as error:
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            if text != said:
                print(text, flush=True)
            said = text


if __name__ == "__main__":
    serve(Layout(Instance(sys.argv[1])))
