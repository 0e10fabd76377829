"""What the recording mock lacks: a place where resources register their transforms."""

from __future__ import annotations

from pulumi import ResourceTransform
from pulumi.runtime.proto import callback_pb2


class Transforms:
    """Keeps the transforms; the mock has no children of a chart to apply them to."""

    def __init__(self) -> None:
        self.registered: list[ResourceTransform] = []

    def register_transform(self, transform: ResourceTransform) -> callback_pb2.Callback:
        self.registered.append(transform)
        return callback_pb2.Callback(token=str(len(self.registered)))
