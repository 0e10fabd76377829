"""The agent injector and the CSI provider: how pods get secrets without code of their own.

Owns their part of the Helm values. Both are told Vault's CA, so that no agent skips verification.
The webhook sees pods only in namespaces that opted in by label. Its certificate is given: one that
the injectors made would need a leader among them, whose Role reads every Secret beside Vault, and
the right to change webhooks.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pulumi

from components.kubernetes.labels import VAULT_AGENT
from components.vault.certificate_secret import Tls
from components.vault.pod_values import CONTAINER_SECURITY, POD_SECURITY, Image
from components.vault.tls import CA_CONFIG_MAP, CA_KEY

CSI_CA_MOUNT = "/vault/tls"


class FailurePolicy(StrEnum):
    """What happens to pods of opted-in namespaces while the injector does not answer."""

    FAIL = "Fail"
    """They are not created: none starts without its secrets."""
    IGNORE = "Ignore"
    """They start without secrets."""


@dataclass(frozen=True, kw_only=True)
class Injector:
    """The agent injector."""

    enabled: bool
    image: Image
    replicas: int = 1
    failure_policy: FailurePolicy = FailurePolicy.FAIL


def injector_values(
    injector: Injector,
    *,
    release: str,
    agent_image: Image,
    ca_pem: pulumi.Input[str],
    webhook: Tls | None,
) -> dict[str, Any]:
    """The chart's `injector` section. `webhook` is what it serves; without it there is none."""
    if webhook is None:
        return {"enabled": False}
    return {
        "enabled": True,
        "replicas": injector.replicas,
        "leaderElector": {"enabled": False},
        "certs": {
            "secretName": webhook.secret_name,
            "caBundle": webhook.ca_pem.apply(_base64),
            "certName": "tls.crt",
            "keyName": "tls.key",
        },
        "image": injector.image.values(),
        "agentImage": {"repository": agent_image.repository, "tag": agent_image.tag},
        "webhook": {
            "failurePolicy": str(injector.failure_policy),
            "namespaceSelector": {"matchLabels": VAULT_AGENT},
        },
        "extraEnvironmentVars": {
            "AGENT_INJECT_VAULT_CACERT_BYTES": pulumi.Output.from_input(ca_pem).apply(_base64)
        },
        "securityContext": {"pod": POD_SECURITY, "container": CONTAINER_SECURITY},
        "resources": {
            "requests": {"memory": "64Mi", "cpu": "25m"},
            "limits": {"memory": "128Mi", "cpu": "250m"},
        },
        **_together(release, injector.replicas),
    }


def _together(release: str, replicas: int) -> dict[str, Any]:
    """Several injectors: preferably not on one machine, and never all drained at once."""
    if replicas == 1:
        return {"affinity": ""}
    others = {
        "labelSelector": {
            "matchLabels": {
                "app.kubernetes.io/name": "vault-agent-injector",
                "app.kubernetes.io/instance": release,
                "component": "webhook",
            }
        },
        "topologyKey": "kubernetes.io/hostname",
    }
    apart = {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 100, "podAffinityTerm": others}
        ]
    }
    return {
        "affinity": {"podAntiAffinity": apart},
        "podDisruptionBudget": {"maxUnavailable": 1},
    }


def csi_values(enabled: bool) -> dict[str, Any]:
    """The chart's `csi` section. Its agent knows no CA (vault-helm#995), so the provider asks."""
    if not enabled:
        return {"enabled": False}
    return {
        "enabled": True,
        "agent": {"enabled": False},
        "extraArgs": [f"-vault-tls-ca-cert={CSI_CA_MOUNT}/{CA_KEY}"],
        "volumes": [{"name": "vault-ca", "configMap": {"name": CA_CONFIG_MAP}}],
        "volumeMounts": [{"name": "vault-ca", "mountPath": CSI_CA_MOUNT, "readOnly": True}],
    }


def _base64(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()
