"""Roles of Kubernetes RBAC as values: what a rule covers, what a role gathers, Kubernetes' own.

Owns no binding: who has a role is `access.rbac`'s matter.
Source: Kubernetes documentation, "Using RBAC Authorization", "Aggregated ClusterRoles".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_WILDCARD = ("*",)


@dataclass(frozen=True, kw_only=True)
class RbacRule:
    """One entry of a role's `rules`. Without `resource_names` it covers every object."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ("",)
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()

    def verbs_on(self, group: str, resource: str) -> frozenset[str]:
        """The verbs given on `resource` (`pods`, `pods/exec`) of `group`; `*` stays `*`."""
        _, slash, part = resource.partition("/")
        names = {"*", resource, f"*/{part}"} if slash else {"*", resource}
        in_group = {"*", group} & set(self.api_groups)
        return frozenset(self.verbs if in_group and names & set(self.resources) else ())


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Chooses objects by their labels. An expression is a key, an operator and its values."""

    labels: frozenset[tuple[str, str]] = frozenset()
    expressions: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def matches(self, labels: frozenset[tuple[str, str]]) -> bool:
        """Whether an object with the labels is chosen; without any demand, every one is."""
        return self.labels <= labels and all(
            _fulfilled(expression, dict(labels)) for expression in self.expressions
        )


def _fulfilled(expression: tuple[str, str, tuple[str, ...]], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression
    match operator:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


@dataclass(frozen=True, kw_only=True)
class RbacRole:
    """A Role, or a ClusterRole where `namespace` is None. `gathers` selects ClusterRoles."""

    name: str
    namespace: str | None = None
    rules: tuple[RbacRule, ...] = ()
    labels: frozenset[tuple[str, str]] = frozenset()
    gathers: tuple[Selector, ...] = ()


# Kubernetes' own roles, as far as they concern Secrets, pods and identities; no state names them.
_EDIT = (
    RbacRule(
        verbs=("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"),
        resources=("secrets",),
    ),
    RbacRule(verbs=("create",), resources=("pods", "pods/exec", "pods/attach")),
    RbacRule(verbs=("create",), resources=("serviceaccounts/token",)),
    RbacRule(verbs=("impersonate",), resources=("serviceaccounts",)),
)


def _own(
    name: str, *rules: RbacRule, joins: str | None = None, gathers: str | None = None
) -> RbacRole:
    """A role of Kubernetes' own: it joins one that gathers, or gathers those that join it."""
    labels = [("kubernetes.io/bootstrapping", "rbac-defaults"), *_joining(joins)]
    return RbacRole(
        name=name,
        rules=rules,
        labels=frozenset(labels),
        gathers=(Selector(labels=frozenset(_joining(gathers))),) if gathers else (),
    )


def _joining(role: str | None) -> list[tuple[str, str]]:
    return [(f"rbac.authorization.k8s.io/aggregate-to-{role}", "true")] if role else []


OWN_ROLES = (
    _own("cluster-admin", RbacRule(verbs=_WILDCARD, api_groups=_WILDCARD, resources=_WILDCARD)),
    _own("admin", gathers="admin"),
    _own("edit", gathers="edit", joins="admin"),
    _own("view", gathers="view", joins="edit"),
    _own("system:aggregate-to-admin", *_EDIT, joins="admin"),
    _own("system:aggregate-to-edit", *_EDIT, joins="edit"),
    _own("system:aggregate-to-view", joins="view"),
    _own("system:auth-delegator"),
    _own("system:discovery"),
    _own("system:basic-user"),
    _own("system:public-info-viewer"),
)
