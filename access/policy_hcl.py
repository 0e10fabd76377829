"""Vault policy text: read HCL or JSON, write HCL. Owns the text form and nothing else."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from hcl2.api import loads as load_hcl

from access.policy import Capability, PathRule, Policy, PolicyError

_KNOWN = frozenset(
    {
        "comment",
        "policy",
        "capabilities",
        "allowed_parameters",
        "denied_parameters",
        "required_parameters",
        "min_wrapping_ttl",
        "max_wrapping_ttl",
        "mfa_methods",
        "control_group",
        "subscribe_event_types",
    }
)

# What Vault's HCL allows and the parser's does not: quotes around keys, a comma after the last one.
_QUOTED_KEY = re.compile(rf'"(path|{"|".join(sorted(_KNOWN))})"(?=\s*["={{])')
_LAST_COMMA = re.compile(r",(\s*\})")
_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|.)", re.DOTALL
)

# The form that Vault used before capabilities; it still reads it.
_LEGACY = {
    "deny": ("deny",),
    "read": ("read", "list"),
    "write": ("create", "read", "update", "delete", "list"),
    "sudo": ("create", "read", "update", "delete", "list", "sudo"),
}


def parse(text: str, name: str) -> Policy:
    """Read a policy's text.

    Raises PolicyError, with the policy's name and the path, for text that Vault would refuse.
    """
    try:
        is_json = text.lstrip().startswith("{")
        document = of_json(text) if is_json else _of_hcl(_spelled_out(text))
    except Exception as error:  # the parser's own exceptions are many and unnamed
        raise PolicyError(f"policy {name!r} is neither HCL nor JSON: {error}") from error
    unknown = [key for key in document if _bare(key) not in {"path", "name"}]
    unknown = [key for key in unknown if not key.startswith("__")]
    if unknown:
        raise PolicyError(f"policy {name!r}: unknown key {unknown[0]!r}; Vault knows path and name")
    try:
        rules = tuple(_rules(document.get("path", []), name))
    except (AttributeError, TypeError) as error:
        raise PolicyError(f"policy {name!r} has not the form of a policy: {error}") from error
    return Policy(name=name, rules=rules)


def _of_hcl(text: str) -> Any:
    try:
        return load_hcl(text + "\n")
    except Exception:  # noqa: BLE001 -- the parser's own; once more, in the form that it knows
        plain = _LAST_COMMA.sub(r"\1", _QUOTED_KEY.sub(r"\1", text))
        return load_hcl(plain + "\n")


def _spelled_out(text: str) -> str:
    """HCL text without escapes such as `\\u0073`, which the parser keeps and Vault reads as `s`."""
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    *hexadecimal, octal = escape.groups()
    digits = next(filter(None, hexadecimal), "")
    code = int(digits, 16) if digits else int(octal or "0", 8)
    character = chr(code) if code <= sys.maxunicode else ""
    return character if character.isprintable() and character not in '"\\' else escape[0]


def of_json(text: str) -> Any:
    """A JSON document in which a repeated key adds to the first, as for Vault; it hides nothing."""
    return json.loads(text, object_pairs_hook=_added_up)


def _added_up(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            values = [
                entry
                for part in (document[key], value)
                for entry in (part if isinstance(part, list) else [part])
            ]
            document[key] = values
        else:
            document[key] = value
    return document


def render(policy: Policy) -> str:
    """The policy as HCL that Vault accepts and `parse` reads back to the same value."""
    return "\n".join(_block(rule) for rule in policy.rules)


def _block(rule: PathRule) -> str:
    capabilities = ", ".join(json.dumps(c.value) for c in Capability if c in rule.capabilities)
    lines = [f"path {json.dumps(rule.path)} {{", f"  capabilities = [{capabilities}]"]
    for key, parameters in (
        ("allowed_parameters", rule.allowed_parameters),
        ("denied_parameters", rule.denied_parameters),
    ):
        if parameters:
            lines.append(f"  {key} = {{")
            lines.extend(
                f"    {json.dumps(name)} = {json.dumps(list(values))}"
                for name, values in sorted(parameters.items())
            )
            lines.append("  }")
    if rule.required_parameters:
        lines.append(f"  required_parameters = {json.dumps(list(rule.required_parameters))}")
    return "\n".join([*lines, "}", ""])


def _rules(blocks: Any, name: str) -> Iterator[PathRule]:
    for block in blocks if isinstance(blocks, list) else [blocks]:
        for path, body in block.items():
            for each in body if isinstance(body, list) else [body]:
                yield _rule(_bare(path), each, name)


def _rule(path: str, body: Mapping[str, Any], name: str) -> PathRule:
    where = f'policy {name!r}, path "{path}"'
    body = {_bare(key): value for key, value in body.items() if not key.startswith("__")}
    if unknown := sorted(set(body) - _KNOWN):
        raise PolicyError(f"{where}: unknown key {unknown[0]!r}")
    words = [_bare(word) for word in body.get("capabilities", [])]
    if legacy := _bare(body.get("policy", "")):
        if str(legacy) not in _LEGACY:
            raise PolicyError(f"{where}: policy is {legacy!r}; use capabilities")
        words.extend(_LEGACY[legacy])
    for word in words:
        if word not in set(Capability):
            known = ", ".join(Capability)
            raise PolicyError(f"{where}: capability {word!r} is unknown; Vault knows {known}")
    return PathRule(
        path=path,
        capabilities=frozenset(map(Capability, words)),
        allowed_parameters=_parameters(body.get("allowed_parameters")),
        denied_parameters=_parameters(body.get("denied_parameters")),
        required_parameters=tuple(_bare(p) for p in body.get("required_parameters", [])),
    )


def _parameters(value: Any) -> dict[str, tuple[object, ...]]:
    # Written as a block, `allowed_parameters { … }`, it is a list to the parser.
    return {
        _bare(key).lower(): tuple(_bare(item) for item in items)
        for block in (value if isinstance(value, list) else [value or {}])
        for key, items in block.items()
    }


def _bare(value: Any) -> Any:
    """The value without the quotes that the HCL parser leaves around strings."""
    if isinstance(value, str) and re.fullmatch(r'".*"', value, re.DOTALL):
        return json.loads(value)
    return value
