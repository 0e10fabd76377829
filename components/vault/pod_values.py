"""What a Vault pod may do, where it runs and what it mounts.

Owns the pod's part of the Helm values. Everything fits the "restricted" Pod Security level.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from components.vault.seal import TRANSIT_CA_PATH, Seal
from components.vault.server_config import TLS_MOUNT
from components.vault.tls import CA_CONFIG_MAP, CA_KEY

VAULT_USER, VAULT_GROUP = 100, 1000
READ_BY_GROUP = 0o440
TMP_MOUNT = "/tmp"  # noqa: S108 -- a volume of each pod's own, not a shared folder

POD_SECURITY: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": VAULT_USER,
    "runAsGroup": VAULT_GROUP,
    "fsGroup": VAULT_GROUP,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image, pinned."""

    repository: str
    tag: str

    def values(self) -> dict[str, str]:
        """As the chart takes it."""
        return {"repository": self.repository, "tag": self.tag, "pullPolicy": "IfNotPresent"}

    def reference(self) -> str:
        """As a pod names it."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Kubernetes quantities: what a pod is promised, and what it may use at most."""

    memory: str = "256Mi"
    cpu: str = "250m"
    memory_limit: str = "512Mi"
    cpu_limit: str = "500m"

    def values(self) -> dict[str, dict[str, str]]:
        """As the chart takes them."""
        return {
            "requests": {"memory": self.memory, "cpu": self.cpu},
            "limits": {"memory": self.memory_limit, "cpu": self.cpu_limit},
        }


class Spread(StrEnum):
    """Whether replicas may share a machine or zone.

    REQUIRED starts a server nowhere rather than there; its nodes must carry their zone's label.
    """

    NONE = "none"
    PREFERRED = "preferred"
    REQUIRED = "required"


def placement(release: str, spread: Spread) -> dict[str, Any]:
    """Anti-affinity and topology spread. An empty affinity switches the chart's own off."""
    servers = {
        "matchLabels": {
            "app.kubernetes.io/name": "vault",
            "app.kubernetes.io/instance": release,
            "component": "server",
        }
    }
    apart = {"labelSelector": servers, "topologyKey": "kubernetes.io/hostname"}
    match spread:
        case Spread.NONE:
            return {"affinity": "", "topologySpreadConstraints": []}
        case Spread.PREFERRED:
            without_place = "ScheduleAnyway"
            rule: dict[str, Any] = {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": apart}
                ]
            }
        case Spread.REQUIRED:
            without_place = "DoNotSchedule"
            rule = {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}
    zones = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": without_place,
        "labelSelector": servers,
    }
    return {"affinity": {"podAntiAffinity": rule}, "topologySpreadConstraints": [zones]}


def seal_variables(seal: Seal) -> list[dict[str, str]]:
    """Environment variables from Secrets, as the chart takes them."""
    return [
        {"envName": v.name, "secretName": v.secret_name, "secretKey": v.key} for v in seal.variables
    ]


def volumes(tls_secret: str, seal: Seal) -> list[dict[str, Any]]:
    """The certificate with its CA in one folder, a writable /tmp, and the seal's CA if it has one.

    Key and certificate come from the Secret, the CA from the ConfigMap that clients use too.
    """
    certificate = {
        "name": tls_secret,
        "items": [{"key": key, "path": key} for key in ("tls.crt", "tls.key")],
    }
    authority = {"name": CA_CONFIG_MAP, "items": [{"key": CA_KEY, "path": CA_KEY}]}
    mounted: list[dict[str, Any]] = [
        {
            "name": "tls",
            "projected": {
                "defaultMode": READ_BY_GROUP,
                "sources": [{"secret": certificate}, {"configMap": authority}],
            },
        },
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}},
    ]
    if seal.ca_secret:
        secret = {"secretName": seal.ca_secret, "defaultMode": READ_BY_GROUP}
        mounted.append({"name": "seal-ca", "secret": secret})
    return mounted


def volume_mounts(seal: Seal) -> list[dict[str, Any]]:
    """Where `volumes` appear in the server's container."""
    mounts: list[dict[str, Any]] = [
        {"name": "tls", "mountPath": TLS_MOUNT, "readOnly": True},
        {"name": "tmp", "mountPath": TMP_MOUNT},
    ]
    if seal.ca_secret:
        folder = str(PurePosixPath(TRANSIT_CA_PATH).parent)
        mounts.append({"name": "seal-ca", "mountPath": folder, "readOnly": True})
    return mounts
