"""Writes names.json: the Terraform name behind each name of the installed pulumi-vault package.

The package is the truth about tokens, property names and lists of one; the Terraform provider, as
the built plugin describes it, is the truth about what exists. A token belongs to the resource whose
properties and name fit best; only names that the bridge would not choose by itself are written.
Run it after either version changes, from the repository's root, in its virtual environment:

    (cd local/toolchain/go/pulumi-vault && CGO_ENABLED=0 go build -o /tmp/plugin .)
    python local/toolchain/go/pulumi-vault/generate.py names /tmp/plugin
    (cd local/toolchain/go/pulumi-vault && CGO_ENABLED=0 go build -o /tmp/plugin .)

`generate.py package` prints what the package says, for the tests to compare with the plugin.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import pulumi_vault
from pulumi import _types

NAMES = Path(__file__).with_name("names.json")
# Renamed beyond recognition: the package's name, and the bridge's own.
RENAMED = {"organizationUnit": "ous"}
# Written by the SDK for its own ends; no property of the Terraform resource.
OWN = {"id", "urn"}
SIMPLE = {bool: "bool", int: "int", float: "float", str: "str"}

Json = dict[str, Any]


def read_package() -> Json:
    """Tokens and properties of every resource and function of the package, in Pulumi's names."""
    resources: Json = {}
    functions: Json = {}
    for module in _modules():
        for cls in _defined(module, inspect.isclass):
            if issubclass(cls, pulumi.CustomResource) and cls is not pulumi_vault.Provider:
                resources[cls.pulumi_type] = {
                    "inputs": _inputs(_arguments_of(cls, module)),
                    "outputs": sorted(set(_types.resource_pulumi_to_py_names(cls)) - OWN),
                    "secrets": _secret_outputs(cls),
                }
        for function in _defined(module, inspect.isfunction):
            body = inspect.getsource(function)
            token = re.search(r"runtime\.invoke\('(vault:[^']+)'", body)
            if token:
                result = inspect.signature(function, eval_str=True).return_annotation
                base = next(base for base in result.__mro__ if _types.is_output_type(base))
                functions[token[1]] = {
                    "inputs": sorted(set(re.findall(r"__args__\['(\w+)'\] =", body))),
                    "outputs": sorted(set(_types.output_type_types(base)) - OWN),
                }
    provider = {"inputs": _inputs(pulumi_vault.ProviderArgs)}
    return {"provider": provider, "resources": resources, "functions": functions}


def _modules() -> Iterator[ModuleType]:
    yield pulumi_vault
    for found in pkgutil.walk_packages(pulumi_vault.__path__, "pulumi_vault."):
        yield importlib.import_module(found.name)


def _defined(module: ModuleType, kind: Any) -> Iterator[Any]:
    for _, value in inspect.getmembers(module, kind):
        if value.__module__ == module.__name__:
            yield value


def _arguments_of(cls: type, module: ModuleType) -> type:
    # The SDK says InitArgs where a nested type has taken the usual name.
    names = (f"{cls.__name__}Args", f"{cls.__name__}InitArgs")
    found: type = next(vars(module)[name] for name in names if name in vars(module))
    return found


def _secret_outputs(cls: type) -> list[str]:
    found = re.search(r"additional_secret_outputs=\[([^]]*)\]", inspect.getsource(cls))
    return sorted(re.findall(r'"(\w+)"', found[1])) if found else []


def _inputs(args: type) -> Json:
    names = _types.input_type_py_to_pulumi_names(args)
    required = {
        name
        for name, parameter in inspect.signature(args).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    types = _types.input_type_types(args)
    return {
        name: _shape(types[name]) | {"required": python in required}
        for python, name in names.items()
    }


def _shape(hint: Any) -> Json:
    """`type` as the plugin calls it, and the `properties` of nested objects."""
    origin = typing.get_origin(hint)
    if hint in SIMPLE:
        return {"type": SIMPLE[hint]}
    if isinstance(hint, type) and _types.is_input_type(hint):
        return {"type": "single", "properties": _inputs(hint)}
    if origin is Sequence:
        return {**_shape(typing.get_args(hint)[0]), "type": "list"}
    if origin is Mapping:
        return {"type": "map"}
    if origin in (Awaitable, pulumi.Output) or hint is type(None):
        return {}
    shapes = [_shape(choice) for choice in typing.get_args(hint)]
    return max(shapes, key=lambda shape: len(shape), default={"type": "any"})


def write_names(plugin: Json) -> None:
    """Choose a Terraform name for everything in the package. Exits naming what has none."""
    package = read_package()
    result = {
        "provider": _fields(package["provider"], plugin["provider"], "provider"),
        "resources": _match(package["resources"], plugin["resources"]),
        "functions": _match(package["functions"], plugin["functions"]),
    }
    NAMES.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


def _match(package: Json, plugin: Json) -> Json:
    scores = [
        (_likeness(token, entry, terraform, known), token, terraform)
        for token, entry in package.items()
        for terraform, known in plugin.items()
    ]
    chosen: dict[str, str] = {}
    for score, token, terraform in sorted(scores, reverse=True):
        if token not in chosen and terraform not in chosen.values():
            if score < 1:
                sys.exit(f"{token}: no Terraform resource is like it (best: {terraform})")
            chosen[token] = terraform
    names: Json = {}
    for token, terraform in chosen.items():
        names[terraform] = {"token": token}
        fields = _fields(package[token], plugin[terraform]["properties"], token)
        if fields:
            names[terraform]["fields"] = fields
    return names


def _likeness(token: str, entry: Json, terraform: str, known: Json) -> float:
    ours = set(entry["inputs"]) | set(entry["outputs"])
    theirs = set(known["properties"])
    _, path, name = token.split(":")
    module = path.split("/")[0].replace("index", "").lower()
    spelled = f"vault{module}{name.removeprefix('get')}".lower()
    likeness = difflib.SequenceMatcher(None, spelled, terraform.replace("_", "")).ratio()
    return len(ours & theirs) / max(len(ours | theirs), 1) + likeness


def _fields(package: Json, known: Json, where: str) -> Json:
    """What must be said about properties whose name or shape the bridge gets wrong."""
    fields: Json = {}
    wanted = package["inputs"]
    for name in wanted:
        shape = wanted[name] if isinstance(wanted, dict) else {}
        automatic = name if name in known else _renamed(name, wanted, known)
        if automatic is None:
            sys.exit(f"{where}: {name} is no property of the Terraform schema: {sorted(known)}")
        theirs = known[automatic]
        entry: Json = {}
        if automatic != name or (shape.get("required") and not theirs.get("required")):
            entry["name"] = name  # a name that is said is not made up for the user either
        if {shape.get("type"), theirs["type"]} == {"list", "single"}:
            entry["maxItemsOne"] = shape["type"] == "single"
        if name in package.get("secrets", ()) and not theirs.get("secret"):
            entry["secret"] = True
        if "properties" in shape and "properties" in theirs:
            inner = {"inputs": shape["properties"]}
            entry["fields"] = _fields(inner, theirs["properties"], f"{where}.{name}")
        entry = {key: value for key, value in entry.items() if value != {}}
        if entry:
            fields[theirs["terraform"]] = entry
    return fields


def _renamed(name: str, wanted: Any, known: Json) -> str | None:
    free = [other for other in known if other not in wanted]
    if RENAMED.get(name) in free:
        return RENAMED[name]
    close = difflib.get_close_matches(name, free, n=1, cutoff=0.6)
    # Every Pulumi resource has an `id` of its own, so a Terraform argument of that name is renamed.
    return close[0] if close else "id" if "id" in free and name.endswith("Id") else None


def main(arguments: list[str]) -> None:
    """`package` prints the package as JSON; `names PLUGIN` writes names.json."""
    if arguments == ["package"]:
        json.dump(read_package(), sys.stdout, indent=1)
    elif len(arguments) == 2 and arguments[0] == "names":
        told = subprocess.run([arguments[1], "-describe"], capture_output=True, check=True)
        write_names(json.loads(told.stdout))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
