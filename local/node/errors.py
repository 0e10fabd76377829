"""The one error that the node raises for a person to read."""

from __future__ import annotations


class NodeError(Exception):
    """The node cannot do what was asked. The text says what, where, why and what to do."""
