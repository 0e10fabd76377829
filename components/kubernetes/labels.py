"""The labels every Kubernetes object of this program carries, so that its owner can be told."""

from __future__ import annotations

from collections.abc import Mapping

MANAGED_BY = "app.kubernetes.io/managed-by"
PART_OF = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"
# On a namespace: pods there may ask Vault's agent injector for secrets.
VAULT_AGENT = {"strongroom.dev/vault-agent": "enabled"}


def standard_labels(component: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The standard labels for an object of `component`, with `extra` ones beside them."""
    return {
        MANAGED_BY: "pulumi",
        PART_OF: "strongroom",
        COMPONENT: component,
        **(extra or {}),
    }
