"""Reading manifests: their workloads, what Pod Security forbids in them, and secrets in clear.

Owns the reading; which manifests must be how is up to the tests that use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
CREDENTIAL = re.compile(r"passw|secret|token|credential|api_?key|access_?key|private", re.I)

Json = dict[str, Any]


def documents(path: Path) -> list[Json]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def templates(path: Path) -> list[tuple[str, Json]]:
    """Namespace and pod template of every workload in the file."""
    return [
        (document["metadata"]["namespace"], document["spec"]["template"])
        for document in documents(path)
        if "template" in document.get("spec", {})
    ]


def containers(pod: Json) -> list[Json]:
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def breaches(pod: Json) -> Iterator[str]:
    """What the level `restricted` (with all of `baseline`) forbids in a pod's spec."""
    yield from (key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", []):
        yield from (f"volume {kind}" for kind in set(volume) - {"name"} - VOLUMES)
    whole = pod.get("securityContext", {})
    if whole.get("sysctls") or whole.get("windowsOptions", {}).get("hostProcess"):
        yield "sysctls or hostProcess"
    for container in containers(pod):
        name, own = container["name"], container.get("securityContext", {})
        if own.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
            yield f"{name}: may run as root"
        if own.get("runAsUser", whole.get("runAsUser")) == 0:
            yield f"{name}: runs as root"
        profile = own.get("seccompProfile", whole.get("seccompProfile", {}))
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: no seccomp profile"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: may gain privileges"
        if own.get("privileged") or own.get("procMount", "Default") != "Default":
            yield f"{name}: privileged"
        capabilities = own.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"]:
            yield f"{name}: keeps capabilities"
        if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            yield f"{name}: adds capabilities"
        if any(port.get("hostPort") for port in container.get("ports", [])):
            yield f"{name}: takes a port of the node"


def audiences(pod: Json) -> Iterator[str]:
    for volume in pod.get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            yield source["serviceAccountToken"]["audience"]


def literals(pod: Json) -> Iterator[str]:
    """Environment entries that hold, or would hold, a credential's value."""
    for container in containers(pod):
        if container.get("envFrom"):
            yield f"{container['name']}: envFrom"
        for entry in container.get("env", []):
            if "secretKeyRef" in entry.get("valueFrom", {}):
                yield f"{container['name']}: {entry['name']} from a Secret"
            value = entry.get("value", "")
            if CREDENTIAL.search(entry["name"]) and not value.startswith("/"):
                yield f"{container['name']}: {entry['name']}"


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value
