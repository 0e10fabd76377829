"""Every resource type of the random stand-in."""

from __future__ import annotations

from local.plugins.random.identifiers import RandomId, RandomUuid
from local.plugins.random.text import RandomPassword, RandomString
from local.plugins.resource import ResourceType

TYPES: tuple[ResourceType, ...] = (
    RandomPassword(),
    RandomString(),
    RandomId(),
    RandomUuid(),
)
