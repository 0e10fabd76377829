"""Kubernetes RBAC as values: rules, roles, bindings, and which rule reaches whom and where.

Owns reading manifests (from the API, a chart or a state file alike). What a rule covers is in
`access.rbac_roles`, what it means for Secrets in `access.rbac_rights`.
Source: Kubernetes documentation, "Using RBAC Authorization".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.model import Subject
from access.rbac_roles import OWN_ROLES, RbacRole, RbacRule, Selector

EVERYWHERE = "*"


@dataclass(frozen=True, kw_only=True)
class RbacBinding:
    """A RoleBinding, or a ClusterRoleBinding where `namespace` is None.

    `subjects` are the service accounts it reaches; `others` the users and groups of people.
    """

    name: str
    role: str
    role_is_cluster_wide: bool
    namespace: str | None = None
    subjects: tuple[Subject, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Entitlement:
    """One rule reaching one subject in one namespace (`*`: in all, and cluster-wide objects)."""

    subject: Subject
    namespace: str
    rule: RbacRule
    role: str
    via: str


class Rbac:
    """The roles and bindings of one cluster, as far as they are known."""

    def __init__(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        """Read Role, ClusterRole, RoleBinding and ClusterRoleBinding; other kinds are ignored."""
        self._roles: dict[tuple[str | None, str], RbacRole] = {
            (None, role.name): role for role in OWN_ROLES
        }
        self._bindings: list[RbacBinding] = []
        for manifest in manifests:
            kind = manifest.get("kind")
            if kind in ("Role", "ClusterRole"):
                role = _role(manifest)
                self._roles[role.namespace, role.name] = role
            elif kind in ("RoleBinding", "ClusterRoleBinding"):
                self._bindings.append(_binding(manifest))

    def entitlements(self) -> Iterator[Entitlement]:
        """Every rule that reaches a service account, and where it holds."""
        for binding in self._bindings:
            for rule in self._rules_of(binding) or ():
                for subject in binding.subjects:
                    yield Entitlement(
                        subject=subject,
                        namespace=binding.namespace or EVERYWHERE,
                        rule=rule,
                        role=_role_label(binding),
                        via=_binding_label(binding),
                    )

    def notes(self) -> Iterator[str]:
        """Bindings that cannot be judged, or that reach others than service accounts."""
        for binding in self._bindings:
            if binding.subjects and self._rules_of(binding) is None:
                yield (
                    f"{_binding_label(binding)} refers to {_role_label(binding)}, which is not "
                    "among the objects known; what it allows is not judged here"
                )
            for other in binding.others:
                yield f"{_binding_label(binding)} reaches {other}, who is no service account"

    def _rules_of(self, binding: RbacBinding) -> tuple[RbacRule, ...] | None:
        namespace = None if binding.role_is_cluster_wide else binding.namespace
        role = self._roles.get((namespace, binding.role))
        return None if role is None else tuple(dict.fromkeys(self._gathered(role, frozenset())))

    def _gathered(self, role: RbacRole, above: frozenset[RbacRole]) -> Iterator[RbacRule]:
        """A role's rules, and those of every role that it gathers, which may gather, too."""
        yield from role.rules
        above = above | {role}
        for other in self._roles.values():
            chosen = any(selector.matches(other.labels) for selector in role.gathers)
            if chosen and other.namespace is None and other not in above:
                yield from self._gathered(other, above)


def workload_role(
    *, account: str, namespace: str, secret_names: Iterable[str], jobs: bool
) -> tuple[dict[str, Any], ...]:
    """The Role and RoleBinding of a declared workload, as manifests; none if nothing is granted."""
    rules: list[dict[str, Any]] = []
    if names := list(secret_names):
        rules.append(
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["get"]}
        )
    if jobs:
        verbs = ["create", "get", "list", "watch"]
        rules.append({"apiGroups": ["batch"], "resources": ["jobs"], "verbs": verbs})
    if not rules:
        return ()
    base = account.removesuffix("-sa")
    role = {"name": f"{base}-role", "namespace": namespace}
    return (
        {"kind": "Role", "metadata": role, "rules": rules},
        {
            "kind": "RoleBinding",
            "metadata": {"name": f"{base}-rolebinding", "namespace": namespace},
            "roleRef": {"kind": "Role", "name": role["name"]},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
        },
    )


def _role(manifest: Mapping[str, Any]) -> RbacRole:
    metadata = manifest["metadata"]
    selectors = (manifest.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    return RbacRole(
        name=metadata["name"],
        namespace=None if manifest["kind"] == "ClusterRole" else metadata["namespace"],
        rules=tuple(_rule(entry) for entry in manifest.get("rules") or ()),
        labels=frozenset((metadata.get("labels") or {}).items()),
        gathers=tuple(map(_selector, selectors)),
    )


def _selector(entry: Mapping[str, Any]) -> Selector:
    return Selector(
        labels=frozenset((entry.get("matchLabels") or {}).items()),
        expressions=tuple(
            (e["key"], e["operator"], tuple(e.get("values") or ()))
            for e in entry.get("matchExpressions") or ()
        ),
    )


def _rule(entry: Mapping[str, Any]) -> RbacRule:
    return RbacRule(
        verbs=tuple(entry.get("verbs") or ()),
        api_groups=tuple(entry.get("apiGroups") or ()),
        resources=tuple(entry.get("resources") or ()),
        resource_names=tuple(entry.get("resourceNames") or ()),
    )


def _binding(manifest: Mapping[str, Any]) -> RbacBinding:
    metadata, target = manifest["metadata"], manifest["roleRef"]
    namespace = None if manifest["kind"] == "ClusterRoleBinding" else metadata["namespace"]
    subjects: list[Subject] = []
    others: list[str] = []
    for entry in manifest.get("subjects") or ():
        found = _subject(entry, namespace)
        if found:
            subjects.append(found)
        else:
            others.append(f"the {entry['kind'].lower()} {entry['name']}")
    return RbacBinding(
        name=metadata["name"],
        namespace=namespace,
        role=target["name"],
        role_is_cluster_wide=target["kind"] == "ClusterRole",
        subjects=tuple(subjects),
        others=tuple(others),
    )


def _subject(entry: Mapping[str, Any], namespace: str | None) -> Subject | None:
    kind, name = entry["kind"], entry["name"]
    if kind == "ServiceAccount":
        return Subject(entry.get("namespace") or namespace or "default", name)
    if name in ("system:serviceaccounts", "system:authenticated"):
        return Subject("*", "*")
    if kind == "Group" and name.startswith("system:serviceaccounts:"):
        return Subject(name.rpartition(":")[2], "*")
    if kind == "User":
        return account_of_user(name)
    return None


def account_of_user(name: str) -> Subject | None:
    """The service account behind a user name, or None for anybody else."""
    prefix, _, rest = name.partition("system:serviceaccount:")
    namespace, colon, account = rest.partition(":")
    return Subject(namespace, account) if not prefix and colon else None


def _role_label(binding: RbacBinding) -> str:
    if binding.role_is_cluster_wide:
        return f"ClusterRole {binding.role}"
    return f"Role {binding.namespace}/{binding.role}"


def _binding_label(binding: RbacBinding) -> str:
    if binding.namespace is None:
        return f"ClusterRoleBinding {binding.name}"
    return f"RoleBinding {binding.namespace}/{binding.name}"
