"""A random value lives in the stack's state and nowhere else."""

from __future__ import annotations

from local.plugins.resource import ResourceType, Values


class Kept(ResourceType):
    """Reading returns what the state holds; deleting has nothing to remove."""

    def read(self, identity: str, state: Values) -> Values | None:
        del identity
        return state

    def delete(self, identity: str, state: Values) -> None:
        del identity, state
