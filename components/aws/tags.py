"""The tags every AWS resource of this program carries, so that its owner can be told."""

from __future__ import annotations


def standard_tags(component: str) -> dict[str, str]:
    """The standard tags for a resource of `component`."""
    return {"managed-by": "pulumi", "part-of": "strongroom", "component": component}
