"""The types of External Secrets Operator. Owns the tokens."""

from __future__ import annotations

GROUP = "kubernetes:external-secrets.io"
OLD_VERSIONS = ("v1alpha1", "v1beta1")
VERSIONS = ("v1", *OLD_VERSIONS)
KINDS = ("SecretStore", "ClusterSecretStore", "ExternalSecret", "ClusterExternalSecret")


def types(*kinds: str, versions: tuple[str, ...] = VERSIONS) -> frozenset[str]:
    """The types of the kinds, in all versions or in some."""
    return frozenset(f"{GROUP}/{version}:{kind}" for version in versions for kind in kinds)
