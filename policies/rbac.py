"""One entry of a Role's `rules`, read for judging. `access.rbac_roles` knows how RBAC matches."""

from __future__ import annotations

from dataclasses import dataclass

from access.rbac_roles import RbacRule
from policies.resource_types import CLUSTER_ROLE, ROLE, with_patches
from policies.view import View

ROLES = with_patches(ROLE, CLUSTER_ROLE)
ANY = "*"
_ADMINISTRATORS = frozenset(
    {
        "cluster-admin",
        "admin",
        "edit",
        # What the last two gather, and what the control plane's own programs have.
        "system:aggregate-to-admin",
        "system:aggregate-to-edit",
        "system:kube-controller-manager",
        "system:kubelet-api-admin",
        "system:node",
    }
)


def is_administrator(role: str) -> bool:
    """Whether a ClusterRole of Kubernetes' own gives power over others' Secrets."""
    return role in _ADMINISTRATORS or role.startswith("system:controller:")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What an entry grants. `path` says where it stands."""

    path: str
    rule: RbacRule

    @classmethod
    def read(cls, view: View) -> Entry:
        """Read an entry. Raises NotKnown for any unknown part."""
        groups, resources, verbs, names = (
            tuple(view[key].strings())
            for key in ("apiGroups", "resources", "verbs", "resourceNames")
        )
        return cls(
            path=view.path,
            rule=RbacRule(
                verbs=verbs, api_groups=groups, resources=resources, resource_names=names
            ),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The objects that it is limited to; empty for all."""
        return self.rule.resource_names

    def given(self, group: str, resource: str, verbs: frozenset[str]) -> list[str]:
        """Those of `verbs` that it grants on a resource; `*` is named as it is written."""
        return sorted((verbs | {ANY}) & self.rule.verbs_on(group, resource))

    def __str__(self) -> str:
        verbs, resources = ", ".join(self.rule.verbs), ", ".join(self.rule.resources)
        return f"{self.path} grants {verbs} on {resources}"
