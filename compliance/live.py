"""The running Vault and its cluster, asked once for each fact that a proof needs.

Owns which questions are asked. Nothing is changed, no secret is read; what the login may not see
raises, and the proof that wanted it is "not checked".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from settings import Settings
from vaultops import certificates
from vaultops.certificates import ServedCertificate
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl
from vaultops.look import Look
from vaultops.state import Observation, observe
from vaultops.target import Target

BUILT_IN_POLICIES = frozenset({"default", "root"})
# Each token is a request of its own; more than that would be a load on the server.
MOST_TOKENS = 2000
_WORKLOADS = "pods,deployments,statefulsets,daemonsets,cronjobs,jobs,configmaps,serviceaccounts"
_RBAC = "roles,rolebindings,clusterroles,clusterrolebindings"
_CUSTOM = (
    "externalsecrets.external-secrets.io",
    "secretstores.external-secrets.io",
    "clustersecretstores.external-secrets.io",
    "pushsecrets.external-secrets.io",
    "sealedsecrets.bitnami.com",
)

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Tokens:
    """The tokens that were looked at, and how many there are."""

    seen: tuple[Mapping[str, Any], ...]
    count: int


class Live:
    """Facts, each read at first use. Raises NotAllowedError or VaultOpsError from any of them."""

    def __init__(self, target: Target, look: Look, kubectl: Kubectl, settings: Settings) -> None:
        self.target, self.look, self.kubectl, self.settings = target, look, kubectl, settings

    @cached_property
    def servers(self) -> Observation:
        """What each server says of itself."""
        return observe(self.target)

    @cached_property
    def certificates(self) -> tuple[ServedCertificate, ...]:
        """The certificate that each server serves."""
        return tuple(certificates.served(self.target, n) for n in range(self.target.replicas))

    @cached_property
    def audit(self) -> Mapping[str, Any]:
        """The audit devices by path."""
        return self.look.read("sys/audit") or {}

    @cached_property
    def engines(self) -> Mapping[str, Any]:
        """The secrets engines by path."""
        return self.look.read("sys/mounts") or {}

    @cached_property
    def methods(self) -> Mapping[str, Any]:
        """The auth methods by path."""
        return self.look.read("sys/auth") or {}

    @cached_property
    def policies(self) -> Mapping[str, str]:
        """The text of every policy but Vault's own two."""
        found = self.below("sys/policies/acl")
        return {n: facts["policy"] for n, facts in found.items() if n not in BUILT_IN_POLICIES}

    @cached_property
    def tokens(self) -> Tokens:
        """What is known of the tokens, by their accessors."""
        accessors = self.look.names("auth/token/accessors")
        found = (self.look.token(accessor) for accessor in accessors[:MOST_TOKENS])
        return Tokens(seen=tuple(filter(None, found)), count=len(accessors))

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The active server's configuration, as it runs, without its secrets."""
        return self.look.read("sys/config/state/sanitized") or {}

    @cached_property
    def autopilot(self) -> Mapping[str, Any]:
        """Raft's own judgement of its servers."""
        return self.look.read("sys/storage/raft/autopilot/state") or {}

    @cached_property
    def key(self) -> Mapping[str, Any]:
        """The term, age and use of the key that encrypts the storage."""
        return self.look.read("sys/key-status") or {}

    def below(self, path: str) -> Mapping[str, Mapping[str, Any]]:
        """Every object below a path in Vault, by its name."""
        found = {name: self.look.read(f"{path}/{name}") for name in self.look.names(path)}
        return {name: facts for name, facts in found.items() if facts is not None}

    @cached_property
    def namespaces(self) -> tuple[Manifest, ...]:
        """The stack's namespaces."""
        ours = self._ours
        return tuple(m for m in self._get("namespaces") if m["metadata"]["name"] in ours)

    @cached_property
    def workloads(self) -> tuple[Manifest, ...]:
        """What runs, and is configured, in the stack's namespaces."""
        return self._here(_WORKLOADS)

    @cached_property
    def network_policies(self) -> tuple[Manifest, ...]:
        """The network policies of the stack's namespaces."""
        return self._here("networkpolicies")

    @cached_property
    def nodes(self) -> tuple[Manifest, ...]:
        """The machines of the cluster."""
        return self._get("nodes")

    @cached_property
    def rbac(self) -> tuple[Manifest, ...]:
        """Every role and binding of the cluster."""
        return self._get(_RBAC)

    @cached_property
    def custom(self) -> tuple[Manifest, ...]:
        """What External Secrets and Sealed Secrets work by; nothing of one that is not there."""
        found = [manifest for what in _CUSTOM for manifest in self._installed(what)]
        return tuple(m for m in found if m["metadata"].get("namespace") in {None, *self._ours})

    @property
    def _ours(self) -> frozenset[str]:
        return frozenset(namespace.name for namespace in self.settings.namespaces)

    def _here(self, what: str) -> tuple[Manifest, ...]:
        return tuple(m for m in self._get(what) if m["metadata"]["namespace"] in self._ours)

    def _installed(self, what: str) -> tuple[Manifest, ...]:
        try:
            return self._get(what)
        except VaultOpsError as error:
            if "doesn't have a resource type" in error.why:
                return ()
            raise

    def _get(self, what: str) -> tuple[Manifest, ...]:
        return tuple(self.kubectl.json("get", what, "--all-namespaces")["items"])
