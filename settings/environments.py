"""What differs between environments: sizes, spread, replicas, protection. All of it, only here.

Each entry is laid under the stack file's own values, so that a stack file states exceptions only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Environment(StrEnum):
    """What an installation is for."""

    LOCAL = "local"
    DEV = "dev"
    PROD = "prod"


VAULT_VERSION = "1.21.0"

_COMMON: dict[str, Any] = {
    "vault": {
        "replicas": 3,
        "version": VAULT_VERSION,
        "image": {"repository": "hashicorp/vault", "tag": VAULT_VERSION},
        "injector": {"image": {"repository": "hashicorp/vault-k8s", "tag": "1.6.2"}},
        "resources": {
            "requests": {"memory": "256Mi", "cpu": "250m"},
            "limits": {"memory": "512Mi", "cpu": "500m"},
        },
    },
    "sealedSecrets": {
        "image": {"repository": "docker.io/bitnami/sealed-secrets-controller", "tag": "0.36.6"},
    },
    "externalSecrets": {
        "replicas": 1,
        "image": {
            "repository": "oci.external-secrets.io/external-secrets/external-secrets",
            "tag": "v0.20.4",
        },
    },
}

_OWN: Mapping[Environment, dict[str, Any]] = {
    Environment.LOCAL: {
        "protect": False,
        "cloudSecrets": {"recovery": "7d"},
        "vault": {
            "spread": "none",
            "storage": {"size": "1Gi"},
            "audit": {"size": "64Mi"},
            "resources": {"requests": {"cpu": "100m"}},
            "injector": {"replicas": 1},
            "snapshots": {
                "schedule": "*/30 * * * *",
                "retain": 3,
                "maxAge": "1h",
                "size": "1Gi",
            },
        },
    },
    Environment.DEV: {
        "protect": False,
        "cloudSecrets": {"recovery": "7d"},
        "vault": {
            "deployer": {"tokenFile": ".strongroom/vault-token-dev"},
            "spread": "preferred",
            "storage": {"size": "5Gi"},
            "audit": {"size": "5Gi"},
            "injector": {"replicas": 1},
            "snapshots": {
                "schedule": "0 3 * * *",
                "retain": 7,
                "maxAge": "36h",
                "size": "10Gi",
            },
        },
    },
    Environment.PROD: {
        "protect": True,
        "cloudSecrets": {"recovery": "30d"},
        "externalSecrets": {"replicas": 2},
        "vault": {
            "deployer": {"tokenFile": ".strongroom/vault-token-prod"},
            "spread": "required",
            "storage": {"size": "20Gi"},
            "audit": {"size": "20Gi"},
            "resources": {
                "requests": {"memory": "1Gi", "cpu": "500m"},
                "limits": {"memory": "2Gi", "cpu": "2"},
            },
            "injector": {"replicas": 2},
            "snapshots": {
                "schedule": "0 */6 * * *",
                "retain": 56,
                "maxAge": "12h",
                "size": "50Gi",
            },
        },
    },
}


def overlay(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `top` laid over it, mapping by mapping; other values are replaced whole."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged


def defaults(environment: Environment) -> dict[str, Any]:
    """Every default of `environment`, as nested YAML keys."""
    return overlay(_COMMON, _OWN[environment])
