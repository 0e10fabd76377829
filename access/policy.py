"""A Vault ACL policy as values: path rules with capabilities.

Owns the vocabulary and what Vault refuses when a policy is written. Parsing text is
`access.policy_hcl`, deciding is `access.evaluate`.
Source: Vault documentation, "Policies"; Vault 1.21 was used to settle what it leaves open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Capability(StrEnum):
    """What a rule may allow on a path."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    SUDO = "sudo"
    SUBSCRIBE = "subscribe"
    RECOVER = "recover"
    DENY = "deny"


class PolicyError(ValueError):
    """A policy that Vault would refuse, or text that is no policy."""


Parameters = Mapping[str, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class PathRule:
    """One `path` block. `path` may end in `*` (prefix) and hold `+` (one whole segment).

    Raises PolicyError for a path with `+*` and for no or contradictory capabilities.
    """

    path: str
    capabilities: frozenset[Capability]
    allowed_parameters: Parameters = field(default_factory=dict)
    denied_parameters: Parameters = field(default_factory=dict)
    required_parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "+*" in self.path:
            raise PolicyError(
                f'path "{self.path}": "+*" is refused by Vault; write "+/*" for everything below '
                "one segment"
            )
        object.__setattr__(self, "path", self.path.removeprefix("/"))
        if Capability.DENY in self.capabilities:
            object.__setattr__(self, "capabilities", frozenset({Capability.DENY}))

    @property
    def has_segment_wildcard(self) -> bool:
        """Whether Vault treats the path as one with `+` segments."""
        return self.path == "+" or "/+" in self.path or self.path.startswith("+/")

    @property
    def is_prefix(self) -> bool:
        """Whether the path covers everything that starts with it."""
        return self.path.endswith("*")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A named set of path rules, in the order they were written."""

    name: str
    rules: tuple[PathRule, ...]
