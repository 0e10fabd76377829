"""Reads a resource's properties without taking what is unknown for a pass.

Owns the difference between absent, known and unknown. Every reading of an unknown value raises
`NotKnown` with its path; `policies.rule` turns that into a judgement of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BRIDGE_NOTE = "__defaults"
"""A key that providers built on Terraform add to objects for themselves; no property."""


class Unknown:
    """Stands for a value that cannot be read. A rule must not take it for a pass."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"<{self.reason}>"


UNKNOWN = Unknown("unknown until deployed")
ENCRYPTED = Unknown("encrypted in the state")


class NotKnown(Exception):
    """A check came to a value that cannot be read, at `path`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class View:
    """A value and the path it stands at. Absent values are views too, and read as nothing."""

    def __init__(self, value: Any, path: str = "") -> None:
        self._value = value
        self.path = path

    @property
    def value(self) -> Any:
        """The plain value; None when absent. Raises NotKnown."""
        if isinstance(self._value, Unknown):
            raise NotKnown(self.path, self._value.reason)
        return self._value

    @property
    def given(self) -> bool:
        """Whether somebody set it: encrypted counts. Raises NotKnown for what a preview lacks."""
        return self._value is ENCRYPTED or self.value is not None

    def __getitem__(self, key: str) -> View:
        """The value below `key`; absent below anything that is no mapping."""
        value = self.value
        below = f"{self.path}.{key}" if self.path else key
        return View(value.get(key) if isinstance(value, Mapping) else None, below)

    def at(self, *keys: str) -> View:
        """The value below all keys, one after the other."""
        view = self
        for key in keys:
            view = view[key]
        return view

    def items(self) -> Iterator[tuple[str, View]]:
        """Keys and values of a mapping; nothing for anything else."""
        value = self.value
        if isinstance(value, Mapping):
            for key in value:
                yield str(key), self[key]

    def entries(self) -> Iterator[View]:
        """The entries of a list; a single value counts as a list of one, as many providers do."""
        value = self.value
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            for index, entry in enumerate(value):
                yield View(entry, f"{self.path}[{index}]")
        elif value is not None:
            yield self

    def strings(self) -> list[str]:
        """The entries as text. Raises NotKnown at the first unknown one."""
        return [entry.text() for entry in self.entries()]

    def text(self) -> str:
        """The value as text; empty when absent."""
        value = self.value
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    def flag(self) -> bool | None:
        """A boolean, also where a provider takes it as text; None for anything else."""
        said = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
        return said.get(self.text().lower())

    def number(self) -> float | None:
        """A number, also where a provider takes it as text; None for anything else."""
        value = self.value
        if isinstance(value, bool):
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            return None

    def json(self) -> View:
        """The document that a JSON text holds, at the same path; a mapping is taken as it is.

        Raises NotKnown for text that is no JSON: it can be no pass.
        """
        value = self.value
        if not isinstance(value, str):
            return self
        try:
            return View(json.loads(value), self.path)
        except ValueError:
            raise NotKnown(self.path, "is no JSON") from None
