"""A real one-node Kubernetes in a network namespace of its own."""

from local.node.errors import NodeError
from local.node.node import Node, NodeStatus

__all__ = ["Node", "NodeError", "NodeStatus"]
