"""What drift speaks of: things with facts, on both sides, and how they differ.

Owns the vocabulary and no knowledge of Vault or Kubernetes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is compared. The words are those of the reports."""

    ENGINE = "secrets engine"
    AUTH = "auth method"
    AUDIT = "audit device"
    POLICY = "policy"
    LOGIN = "login"
    OBJECT = "engine object"
    GROUP = "identity group"
    RBAC = "RBAC object"
    STORE = "secret store"


class State(StrEnum):
    """How the live side differs from the program."""

    CHANGED = "changed"
    MISSING = "missing"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One thing of one side. `name` is unique in its kind: a path in Vault, or `Role ns/name`.

    `facts` are plain values under the names that the live side uses; a policy has its text under
    `policy`. `origin` says who made it: a URN, or a part of the platform; empty for a live thing.
    """

    kind: Kind
    name: str
    facts: Mapping[str, Any]
    origin: str = ""

    @property
    def key(self) -> tuple[Kind, str]:
        """What both sides know it by."""
        return self.kind, self.name


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What cannot be compared, and why: one name of `kind`, all below `…/`, or all (empty)."""

    kind: Kind
    below: str
    why: str

    def hides(self, thing: Thing) -> bool:
        """Whether nobody can say how the thing stands."""
        whole = not self.below or self.below.endswith("/")
        named = thing.name.startswith(self.below) if whole else thing.name == self.below
        return thing.kind is self.kind and named


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as the program left it. `details` are sentences without secrets."""

    state: State
    kind: Kind
    name: str
    details: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Every difference, how many of the program's things were compared, and what was not."""

    differences: tuple[Difference, ...]
    compared: int
    unread: tuple[Unread, ...] = ()

    def having(self, state: State) -> tuple[Difference, ...]:
        """The differences of one state."""
        return tuple(d for d in self.differences if d.state is state)

    def as_data(self) -> dict[str, Any]:
        """The drift as plain data for JSON."""
        return {
            "drift": bool(self.differences),
            "compared": self.compared,
            "differences": [asdict(d) for d in self.differences],
            "notCompared": [asdict(u) for u in self.unread],
        }
