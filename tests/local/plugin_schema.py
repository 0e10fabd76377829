"""The names of a resource type in its official SDK package, found without an engine."""

from __future__ import annotations

import importlib
import inspect
import keyword
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pulumi


@dataclass(frozen=True)
class OfficialNames:
    """`outputs` are those that are no inputs; `required` and `secret` are parts of the others."""

    inputs: frozenset[str]
    required: frozenset[str]
    outputs: frozenset[str]
    secret: frozenset[str]


def official_names(token: str, *packages: ModuleType) -> OfficialNames:
    """The names of `token` in the one of `packages` that has it."""
    resource = _resource(token, packages)
    module = inspect.getmodule(resource)
    args: Any = getattr(module, f"{resource.__name__}Args")
    wire = _wire_names(resource)
    parameters = inspect.signature(args.__init__).parameters
    accepted = {name for name in parameters if name != "__self__"}
    required = {n for n in accepted if parameters[n].default is inspect.Parameter.empty}
    inputs = frozenset(wire[name] for name in accepted)
    return OfficialNames(
        inputs=inputs,
        required=frozenset(wire[name] for name in required),
        outputs=frozenset(wire.values()) - inputs,
        secret=_secret(resource),
    )


def _resource(token: str, packages: tuple[ModuleType, ...]) -> type[pulumi.CustomResource]:
    name, module, kind = token.split(":")
    package = next(p for p in packages if p.__name__ == f"pulumi_{name}")
    area, _, _ = module.partition("/")
    area += "_" if keyword.iskeyword(area) else ""
    path = package.__name__ if area == "index" else f"{package.__name__}.{area}"
    found: type[pulumi.CustomResource] = getattr(importlib.import_module(path), kind)
    assert vars(found)["pulumi_type"] == token
    return found


def _wire_names(resource: type[pulumi.CustomResource]) -> dict[str, str]:
    """The engine's name of each property by the Python one."""
    properties = {n: p for n, p in vars(resource).items() if isinstance(p, property)}
    return {name: getattr(p.fget, "_pulumi_name", name) for name, p in properties.items()}


def _secret(resource: type[pulumi.CustomResource]) -> frozenset[str]:
    source = inspect.getsource(resource)
    _, found, rest = source.partition("additional_secret_outputs=[")
    listed = rest.partition("]")[0] if found else ""
    return frozenset(part.strip(' "') for part in listed.split(",") if part.strip())
