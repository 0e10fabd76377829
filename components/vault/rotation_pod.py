"""The pod that rotates, as Kubernetes has it; it fits the "restricted" Pod Security level.

Two tokens are mounted: one for Vault, with an audience of its own, and, where workloads are
followed, one for the API server. kubectl is told of it by a file: it looks for its pod's own token
only when it is called without any option of the connection.
"""

from __future__ import annotations

from typing import Any

import pulumi

from components.vault.pod_values import CONTAINER_SECURITY, TMP_MOUNT
from components.vault.tls import API_PORT, CA_CONFIG_MAP, CA_KEY

RUN_SECONDS = 3600
SETTINGS_FILE = "Pulumi.stack.yaml"
SETTINGS_MOUNT = "/etc/strongroom"
_CA_MOUNT = "/etc/vault-ca"
_VAULT_TOKEN = "/var/run/secrets/rotation"  # noqa: S105 -- a place
_KUBERNETES_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 -- a place
KUBECONFIG_FILE = "kubeconfig.yaml"
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
current-context: here
contexts: [{{name: here, context: {{cluster: here, user: pod}}}}]
users: [{{name: pod, user: {{tokenFile: {_KUBERNETES_TOKEN}/token}}}}]
clusters:
  - name: here
    cluster:
      server: https://kubernetes.default.svc
      certificate-authority: {_KUBERNETES_TOKEN}/ca.crt
"""
_TOKEN_SECONDS = 3600
_USER = 65532
_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": _USER,
    "runAsGroup": _USER,
    "fsGroup": _USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_RESOURCES = {
    "requests": {"memory": "128Mi", "cpu": "100m"},
    "limits": {"memory": "512Mi", "cpu": "1"},
}


def rotation_pod(
    *,
    image: str,
    release: str,
    account: pulumi.Input[str],
    audience: str,
    settings: pulumi.Input[str],
    asks_kubernetes: bool,
) -> dict[str, Any]:
    """One pass over everything that is due. `settings` is the ConfigMap with the stack's file."""
    volumes: dict[str, tuple[str, dict[str, Any]]] = {
        "settings": (SETTINGS_MOUNT, {"configMap": {"name": settings}}),
        "vault-ca": (_CA_MOUNT, {"configMap": {"name": CA_CONFIG_MAP}}),
        "identity": (_VAULT_TOKEN, _projected(_token(audience))),
    }
    if asks_kubernetes:
        cluster_ca = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        # As Kubernetes names its own: a token that is for the API server has no other audience.
        volumes["kube-api-access-rotation"] = (
            _KUBERNETES_TOKEN,
            _projected(_token(None), {"configMap": cluster_ca}),
        )
    container = {
        "name": "rotate",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "cli.rotator", "rotate", "run"],
        "args": [
            f"--config-file={SETTINGS_MOUNT}/{SETTINGS_FILE}",
            f"--jwt-file={_VAULT_TOKEN}/token",
            f"--ca-file={_CA_MOUNT}/{CA_KEY}",
            # In the certificate, and resolved within Vault's own namespace only.
            f"--vault-address=https://{release}-active:{API_PORT}",
        ],
        "env": [
            {"name": "HOME", "value": TMP_MOUNT},
            {"name": "KUBECONFIG", "value": f"{SETTINGS_MOUNT}/{KUBECONFIG_FILE}"},
        ],
        "securityContext": CONTAINER_SECURITY,
        "resources": _RESOURCES,
        "volumeMounts": [
            {"name": "tmp", "mountPath": TMP_MOUNT},
            *(
                {"name": name, "mountPath": place, "readOnly": True}
                for name, (place, _) in volumes.items()
            ),
        ],
    }
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": _POD_SECURITY,
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
            *({"name": name, **source} for name, (_, source) in volumes.items()),
        ],
    }


def _token(audience: str | None) -> dict[str, Any]:
    """A token of the pod's account; without an audience, the API server's own."""
    source: dict[str, Any] = {"path": "token", "expirationSeconds": _TOKEN_SECONDS}
    return {"serviceAccountToken": {**source, **({"audience": audience} if audience else {})}}


def _projected(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"projected": {"defaultMode": 0o440, "sources": list(sources)}}
