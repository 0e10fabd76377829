"""The name under which the stack's fields are applied to the cluster.

Owns one annotation. Without it the provider makes up a name for each object, and a deployment that
was killed between an object's creation and its record in the state never goes on: the next one
comes under another name and conflicts with the first wherever the API server filled in defaults
within a list (a StatefulSet's volume claims, a NetworkPolicy's ports, a webhook's rules).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

ANNOTATION = "pulumi.com/patchFieldManager"


def applied_as(name: str) -> pulumi.ResourceTransform:
    """A transform by which each Kubernetes object is applied as `name`; others stay as they are."""

    def transform(
        args: pulumi.ResourceTransformArgs,
    ) -> pulumi.ResourceTransformResult | None:
        if not args.type_.startswith("kubernetes:") or "metadata" not in args.props:
            return None
        props = {**args.props, "metadata": _with(args.props["metadata"], "annotations", own)}
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    def own(annotations: Any) -> Any:
        return _with(annotations, ANNOTATION, lambda _: name)

    return transform


def _with(found: Any, key: str, change: Callable[[Any], Any]) -> Any:
    """The mapping `found` with another value under `key`; what is known beside it stays known."""
    if isinstance(found, pulumi.Output):
        return found.apply(lambda known: _with(known, key, change))
    mapping = found or {}
    return {**mapping, key: change(mapping.get(key))}
