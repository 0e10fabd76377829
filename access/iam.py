"""AWS IAM documents as values: what a policy allows, to whom, on what, under which condition.

Owns the reading of statements and the matching of wildcards. Conditions are carried and named, not
evaluated: what only a condition withholds counts as allowed. What IAM as a whole decides (several
policies, boundaries, organisations) is not judged here.
Source: AWS, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

ANYONE = "*"
_BEFORE_SERVICE = frozenset({"arn", "aws", "aws-cn", "aws-us-gov"})

# The ARN operators and StringLike take patterns, StringEquals takes `*` for a character.
_COMPARING = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})


class IamError(ValueError):
    """Text or a value that is no IAM policy document."""


class Effect(StrEnum):
    """What a statement does."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who a statement speaks of. `kind` is AWS, Service, Federated, CanonicalUser or `*`."""

    kind: str
    value: str

    @property
    def is_anyone(self) -> bool:
        """Whether it means everybody: `"*"` and `{"AWS": "*"}` are the same to AWS."""
        return self.value == ANYONE and self.kind in (ANYONE, "AWS")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One test: `operator` such as StringEquals, `key` such as aws:SourceAccount, its values."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether it fails for an absent key and for every value that is not written out."""
        operator = self.operator.removeprefix("ForAnyValue:")
        wild = operator != "StringEquals" and any(set("*?") & set(v) for v in self.values)
        return operator in _COMPARING and bool(self.values) and not wild


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. An empty tuple means that the element is absent."""

    index: int
    effect: Effect
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[Principal, ...] = ()
    not_principals: tuple[Principal, ...] = ()
    conditions: tuple[Condition, ...] = ()
    sid: str = ""

    @property
    def allows(self) -> bool:
        """Whether it is an Allow statement."""
        return self.effect is Effect.ALLOW

    def covers(self, action: str) -> bool:
        """Whether the statement speaks of an action, such as `kms:Decrypt`."""
        if self.not_actions:
            return not any(matches(pattern, action) for pattern in self.not_actions)
        return any(matches(pattern, action) for pattern in self.actions)

    def covered(self, actions: Iterable[str]) -> list[str]:
        """Those of `actions` that the statement speaks of, in their order."""
        return [action for action in actions if self.covers(action)]

    @property
    def on_everything(self) -> bool:
        """Whether it holds for every resource, or for all but some."""
        return any(map(_is_everything, self.resources)) or bool(self.not_resources)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A policy document."""

    statements: tuple[Statement, ...]

    @property
    def allowing(self) -> Iterator[Statement]:
        """The Allow statements."""
        return (statement for statement in self.statements if statement.allows)

    def allows(self, action: str) -> bool:
        """Whether an action is allowed on something, and not denied outright on everything."""
        return any(s.covers(action) for s in self.allowing) and not any(
            s.covers(action) and ANYONE in s.resources and not s.conditions
            for s in self.statements
            if not s.allows
        )


def _is_everything(arn: str) -> bool:
    """Whether a pattern fixes at most the partition, as `*`, `arn:*` and `arn:aws:*:*` do."""
    parts = set(arn.split(":")) - _BEFORE_SERVICE
    return "*" in arn and all(set(part) <= set("*?/") for part in parts)


@lru_cache(maxsize=4096)
def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    escaped = text.replace("[", "[[]")  # fnmatch knows sets, IAM does not
    return re.compile(fnmatch.translate(escaped), flags)


def matches(pattern: str, action: str) -> bool:
    """Whether an action pattern (`*` and `?`, case ignored) covers an action."""
    return _pattern(pattern, re.IGNORECASE).match(action) is not None


def matches_resource(pattern: str, arn: str) -> bool:
    """Whether a resource pattern covers an ARN. Its case counts, unlike that of an action."""
    return _pattern(pattern).match(arn) is not None


def parse(source: str | Mapping[str, Any]) -> Document:
    """Read a document from JSON text or from its value. Raises IamError with the place."""
    document: Any = source
    if isinstance(source, str):
        try:
            document = json.loads(source)
        except ValueError as error:
            raise IamError(f"the policy document is no JSON: {error}") from error
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise IamError("the policy document has no Statement")
    listed = document["Statement"]
    entries = listed if isinstance(listed, list) else [listed]
    return Document(statements=tuple(_statement(i, entry) for i, entry in enumerate(entries)))


def _statement(index: int, entry: Any) -> Statement:
    if not isinstance(entry, Mapping):
        raise IamError(f"Statement[{index}] is no object")
    effect = entry.get("Effect")
    if effect not in tuple(Effect):
        raise IamError(f"Statement[{index}].Effect is {effect!r}, not Allow or Deny")
    if not any(key in entry for key in ("Action", "NotAction")):
        raise IamError(f"Statement[{index}] has neither Action nor NotAction")
    return Statement(
        index=index,
        effect=Effect(effect),
        sid=str(entry.get("Sid", "")),
        actions=_texts(entry.get("Action")),
        not_actions=_texts(entry.get("NotAction")),
        resources=_texts(entry.get("Resource")),
        not_resources=_texts(entry.get("NotResource")),
        principals=_principals(entry.get("Principal")),
        not_principals=_principals(entry.get("NotPrincipal")),
        conditions=_conditions(entry.get("Condition"), index),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(each) for each in (value if isinstance(value, list) else [value]))


def _principals(value: Any) -> tuple[Principal, ...]:
    if isinstance(value, Mapping):
        return tuple(
            Principal(kind=str(kind), value=each)
            for kind, named in value.items()
            for each in _texts(named)
        )
    return tuple(Principal(kind=ANYONE, value=each) for each in _texts(value))


def _conditions(value: Any, index: int) -> tuple[Condition, ...]:
    tested = {} if value is None else value
    if not isinstance(tested, Mapping) or not all(isinstance(t, Mapping) for t in tested.values()):
        raise IamError(f"Statement[{index}].Condition is no object of operators with keys")
    return tuple(
        Condition(operator=str(operator), key=str(key), values=_texts(values))
        for operator, tests in tested.items()
        for key, values in tests.items()
    )
