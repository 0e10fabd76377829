"""RBAC of the managed namespaces and stores of External Secrets Operator, as the cluster has them.

Owns which objects concern the platform: those of its namespaces, every binding that reaches an
account of theirs from elsewhere, and the stores that the whole cluster shares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from drift import kubernetes
from drift.model import Kind, Thing, Unread
from vaultops.errors import DeniedError, VaultOpsError
from vaultops.kubectl import Kubectl

_STORES = ("secretstores.external-secrets.io", "clustersecretstores.external-secrets.io")
# Kubernetes binds these to every account itself.
_BUILT_IN = frozenset(
    {
        "system:basic-user",
        "system:discovery",
        "system:monitoring",
        "system:public-info-viewer",
        "system:service-account-issuer-discovery",
    }
)
_EVERYBODY = frozenset({"system:authenticated", "system:serviceaccounts"})


class LiveCluster:
    """Everything that was found, and in `unread` what was not allowed to be read.

    `known` are the names of the program's own things: of cluster-wide roles only those are of
    interest, since a role that nobody binds gives nothing.
    """

    def __init__(
        self, kubectl: Kubectl, namespaces: Collection[str], known: Collection[str]
    ) -> None:
        self.unread: list[Unread] = []
        self._kubectl = kubectl
        self._namespaces, self._known = frozenset(namespaces), frozenset(known)
        self.things: tuple[Thing, ...] = (
            *self._objects(Kind.RBAC, "roles,clusterroles,rolebindings,clusterrolebindings"),
            *self._stores(),
        )

    def _objects(self, kind: Kind, what: str) -> Iterator[Thing]:
        try:
            found = self._kubectl.json("get", what, "--all-namespaces")["items"]
        except DeniedError as error:
            self.unread.append(Unread(kind=kind, below="", why=error.why))
            return
        yield from (kubernetes.thing_of(item) for item in found if self._is_ours(item))

    def _stores(self) -> Iterator[Thing]:
        for what in _STORES:
            try:
                yield from self._objects(Kind.STORE, what)
            except VaultOpsError as error:
                if "doesn't have a resource type" not in error.why:
                    raise

    def _is_ours(self, item: Mapping[str, Any]) -> bool:
        if kubernetes.name_of(item) in self._known:
            return True
        kind, metadata = item["kind"], item["metadata"]
        if metadata.get("namespace") in self._namespaces or kind == "ClusterSecretStore":
            return True
        if kind not in kubernetes.BINDINGS or metadata["name"] in _BUILT_IN:
            return False
        return any(map(self._reaches_ours, item.get("subjects") or ()))

    def _reaches_ours(self, subject: Mapping[str, Any]) -> bool:
        name = subject["name"]
        if subject["kind"] == "ServiceAccount":
            return subject.get("namespace") in self._namespaces
        return name in _EVERYBODY or any(
            name == f"system:serviceaccounts:{n}" or name.startswith(f"system:serviceaccount:{n}:")
            for n in self._namespaces
        )
