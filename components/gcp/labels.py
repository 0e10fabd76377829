"""The labels every Google Cloud resource of this program carries, so that its owner can be told."""

from __future__ import annotations


def standard_labels(component: str) -> dict[str, str]:
    """The standard labels for a resource of `component`."""
    return {"managed-by": "pulumi", "part-of": "strongroom", "component": component}
