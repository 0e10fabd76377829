"""One entry of a Role's `rules`, read for judging. Owns how RBAC matches; judges nothing."""

from __future__ import annotations

from dataclasses import dataclass

from policies.resource_types import CLUSTER_ROLE, ROLE
from policies.view import View

ROLES = frozenset({ROLE, CLUSTER_ROLE})
ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What an entry grants. `path` says where it stands."""

    path: str
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def read(cls, view: View) -> Entry:
        """Read an entry. Raises NotKnown for any unknown part."""
        groups, resources, verbs, names = (
            tuple(view[key].strings())
            for key in ("apiGroups", "resources", "verbs", "resourceNames")
        )
        return cls(path=view.path, groups=groups, resources=resources, verbs=verbs, names=names)

    def reaches(self, group: str, resource: str) -> bool:
        """Whether it speaks of a resource, such as `secrets` or `pods/exec`, of an API group."""
        _, slash, sub = resource.partition("/")
        return bool(
            {group, ANY} & set(self.groups)
            and {resource, ANY, f"*/{sub}" if slash else ANY} & set(self.resources)
        )

    def verbs_among(self, verbs: frozenset[str]) -> list[str]:
        """Those of `verbs` that it grants; `*` grants all, and is named as it is written."""
        return sorted((verbs | {ANY}) & set(self.verbs))

    def __str__(self) -> str:
        return f"{self.path} grants {', '.join(self.verbs)} on {', '.join(self.resources)}"
