"""The words of the access matrix: subjects, rows, answers, and what a source of rights must offer.

Owns no rights itself: Vault's are in `access.vault_rights`, Kubernetes' in `access.rbac_rights`,
and whatever else fits `Source` can join (IAM does). Paths tell the sources apart: `k8s:namespace/
name` is a Kubernetes Secret, `arn:…` a cloud resource, anything else a path in Vault.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Protocol


class System(StrEnum):
    """Who enforces a right."""

    VAULT = "vault"
    KUBERNETES = "kubernetes"
    IAM = "iam"


@dataclass(frozen=True, order=True)
class Subject:
    """A Kubernetes service account. Either part may be a pattern with `*` where a binding is wide.

    `str()` gives `namespace/name`.
    """

    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read `namespace/name`. Raises ValueError that says what is expected."""
        namespace, slash, name = text.partition("/")
        if not (namespace and slash and name) or "/" in name:
            raise ValueError(
                f"{text!r} is no subject; write namespace/service-account, "
                "as in ml-training/ml-app-sa"
            )
        return cls(namespace, name)

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def in_words(self) -> str:
        """As it stands in a sentence."""
        where = "any namespace" if self.namespace == "*" else self.namespace
        return f"{'any account' if self.name == '*' else self.name} in {where}"

    def overlaps(self, other: Subject) -> bool:
        """Whether some service account is meant by both."""
        return _overlap(self.namespace, other.namespace) and _overlap(self.name, other.name)


def _overlap(one: str, other: str) -> bool:
    return fnmatchcase(one, other) or fnmatchcase(other, one)


@dataclass(frozen=True, kw_only=True, order=True)
class Row:
    """One right: `subject` holds `capabilities` on `path`, through `via` and its `policy`.

    `note` says what the capabilities do not: that a right is indirect, or wider than it looks.
    """

    subject: Subject
    path: str
    system: System
    via: str
    policy: str
    capabilities: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one role says about one question: allowed or not, and the reason in one sentence.

    `lost` names the rules that cover the path too, each with the reason why it does not decide.
    """

    subject: Subject
    system: System
    via: str
    policy: str
    allowed: bool
    reason: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, order=True)
class Takeover:
    """A way by which `subject` acts as `target`, and so holds all that the target holds.

    `how` completes "it may …", as in "make jobs". `only` limits it to the rights of one system.
    """

    subject: Subject
    target: Subject
    how: str
    via: str
    only: System | None = None


class Source(Protocol):
    """Where rights come from. Everything is computed from plain data; nothing is asked live."""

    def rows(self) -> Iterable[Row]:
        """Every right that the source knows of."""

    def answers(self, path: str, capability: str) -> Iterable[Answer]:
        """What each role says about the question; nothing for a path of another system."""

    def takeovers(self) -> Iterable[Takeover]:
        """Ways to act as another service account."""

    def notes(self) -> Iterable[str]:
        """What could not be judged, one sentence each."""
