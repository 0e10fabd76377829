"""One entry of a Role's `rules`, read for judging. How RBAC matches is `access.rbac`'s matter."""

from __future__ import annotations

from dataclasses import dataclass

from access.rbac import RbacRule
from policies.resource_types import CLUSTER_ROLE, ROLE
from policies.view import View

ROLES = frozenset({ROLE, CLUSTER_ROLE})
ANY = "*"


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
