"""What a preview would do to each resource: one change for all of the engine's steps on it.

Owns the kinds and their order. Components are left out: nothing exists for them outside the state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from review.events import Step

_STACK = "pulumi:pulumi:Stack"
_PROVIDERS = "pulumi:providers:"


class Kind(StrEnum):
    """What happens to a resource, what may lose data first."""

    REPLACE = "replace"
    DELETE = "delete"
    UPDATE = "update"
    CREATE = "create"
    IMPORT = "import"


_OF_OPERATION = {
    "replace": Kind.REPLACE,
    "create-replacement": Kind.REPLACE,
    "delete-replaced": Kind.REPLACE,
    "import-replacement": Kind.REPLACE,
    "delete": Kind.DELETE,
    "update": Kind.UPDATE,
    "create": Kind.CREATE,
    "import": Kind.IMPORT,
}


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """One resource and what happens to it. `properties` are paths; their values are never kept."""

    kind: Kind
    type: str
    name: str
    urn: str
    properties: tuple[str, ...]


def resource_changes(steps: Iterable[Step]) -> Iterator[ResourceChange]:
    """What would change, replaces and deletes first, else in the engine's order."""
    by_urn: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        if step.op in _OF_OPERATION and step.custom and not _is_of_engine(step):
            by_urn[step.urn].append(step)
    found = [_change(of_one) for of_one in by_urn.values()]
    yield from sorted(found, key=lambda change: list(Kind).index(change.kind))


def _is_of_engine(step: Step) -> bool:
    return step.type == _STACK or step.type.startswith(_PROVIDERS)


def _change(steps: list[Step]) -> ResourceChange:
    kind = min((_OF_OPERATION[step.op] for step in steps), key=list(Kind).index)
    return ResourceChange(
        kind=kind,
        type=steps[0].type,
        name=steps[0].name,
        urn=steps[0].urn,
        properties=tuple(dict.fromkeys(path for step in steps for path in step.changed)),
    )
