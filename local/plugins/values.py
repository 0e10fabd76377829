"""Conversion between the engine's property values and plain Python data.

Owns secretness and unknowns of whole properties. Knows no resource type.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_ON_THE_WIRE

Properties = dict[str, PropertyValue]


class Unknown:
    """Stands for a value that is known only after another resource has been made."""


UNKNOWN = Unknown()


def plain(value: PropertyValue) -> Any:
    """`value` without secretness; whole numbers become int, an unknown anywhere UNKNOWN.

    An archive becomes the path of its file and stays so in the state: the engine would show a
    later diff only an archive's hash, with which the SDK's server ends in an error.
    """
    inner = value.value
    if inner == UNKNOWN_ON_THE_WIRE:
        return UNKNOWN
    if isinstance(inner, float) and inner.is_integer():
        return int(inner)
    if isinstance(inner, pulumi.FileArchive):
        return inner.path
    if isinstance(inner, Mapping):
        members = {key: plain(member) for key, member in inner.items()}
        return UNKNOWN if UNKNOWN in members.values() else members
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        items = [plain(item) for item in inner]
        return UNKNOWN if UNKNOWN in items else items
    return inner


def plain_map(properties: Mapping[str, PropertyValue]) -> dict[str, Any]:
    """Every property by its name, without the engine's own ones and without nulls."""
    values = {key: plain(value) for key, value in properties.items() if not key.startswith("__")}
    return {key: value for key, value in values.items() if value is not None}


def wrapped(value: Any, *, secret: bool = False) -> PropertyValue:
    """The engine's form of plain data. Raises TypeError for what JSON could not hold either."""
    if isinstance(value, Unknown):
        return PropertyValue(UNKNOWN_ON_THE_WIRE, is_secret=secret)
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value), is_secret=secret)
    if isinstance(value, Mapping):
        return PropertyValue({key: wrapped(v) for key, v in value.items()}, is_secret=secret)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return PropertyValue([wrapped(item) for item in value], is_secret=secret)
    return PropertyValue(value, is_secret=secret)


def wrapped_map(values: Mapping[str, Any], secret: Collection[str]) -> Properties:
    """Plain data as properties; those named in `secret` are marked so."""
    return {key: wrapped(value, secret=key in secret) for key, value in values.items()}


def secret_names(*properties: Mapping[str, PropertyValue]) -> set[str]:
    """The names of all properties that hold a secret, at any depth."""
    return {name for each in properties for name, v in each.items() if v.contains_secret()}
