"""The built Vault plugin against the installed pulumi-vault: classes, names, shapes, secrets."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from typing import Any

import pytest

from local.toolchain import ensure
from local.toolchain.catalogue import GO_MODULES

pytestmark = pytest.mark.e2e

Json = dict[str, Any]


@pytest.fixture(scope="module")
def package() -> Json:
    source = GO_MODULES / "pulumi-vault" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    read: Json = module.read_package()
    return read


@pytest.fixture(scope="module")
def plugin() -> Json:
    binary = ensure(["pulumi-resource-vault"])["pulumi-resource-vault"]
    told = subprocess.run([binary, "-describe"], capture_output=True, check=True)
    described: Json = json.loads(told.stdout)
    return described


def by_token(entries: Json) -> Json:
    return {entry["token"]: entry["properties"] for entry in entries.values()}


def differences(wanted: Json, known: Json, where: str, nested: bool = False) -> list[str]:
    """What the package says and the plugin does not, nested objects included.

    The package has one class for a nested object going in and coming out, so that there a name
    which only comes out is right.
    """
    found = []
    for name, shape in wanted.items():
        place = f"{where}.{name}"
        own = known.get(name)
        if own is None or not (own["input"] or nested):
            found.append(f"{place}: no input of the plugin")
            continue
        if shape.get("type", own["type"]) not in (own["type"], "any"):
            found.append(f"{place}: {shape['type']}, the plugin says {own['type']}")
        if own.get("required", False) and not shape["required"]:
            found.append(f"{place}: the plugin requires it")
        found += differences(shape.get("properties", {}), own.get("properties", {}), place, True)
    return found


def test_every_class_has_its_resource_with_the_same_inputs(package: Json, plugin: Json) -> None:
    resources = by_token(plugin["resources"])
    assert set(package["resources"]) - set(resources) == set()
    wrong = [
        line
        for token, entry in package["resources"].items()
        for line in differences(entry["inputs"], resources[token], token)
    ]
    assert wrong == []


def test_every_output_exists_and_every_secret_one_is_secret(package: Json, plugin: Json) -> None:
    resources = by_token(plugin["resources"])
    for token, entry in package["resources"].items():
        missing = set(entry["outputs"]) - set(resources[token])
        assert missing == set(), token
        open_ones = [n for n in entry["secrets"] if not resources[token][n].get("secret")]
        assert open_ones == [], token


def test_every_function_takes_and_gives_the_same(package: Json, plugin: Json) -> None:
    functions = by_token(plugin["functions"])
    for token, entry in package["functions"].items():
        names = {*entry["inputs"], *entry["outputs"]}
        assert names - set(functions[token]) == set(), token


def test_the_provider_takes_the_same_settings(package: Json, plugin: Json) -> None:
    assert differences(package["provider"]["inputs"], plugin["provider"], "provider") == []


def test_a_renamed_input_would_be_seen(package: Json, plugin: Json) -> None:
    policy = by_token(plugin["resources"])["vault:index/policy:Policy"]
    wanted = package["resources"]["vault:index/policy:Policy"]["inputs"]
    assert differences(wanted | {"polizei": wanted["policy"]}, policy, "Policy") == [
        "Policy.polizei: no input of the plugin"
    ]
    assert differences(wanted, {k: v for k, v in policy.items() if k != "name"}, "Policy")
