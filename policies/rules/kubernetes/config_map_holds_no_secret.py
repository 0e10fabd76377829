"""A ConfigMap must hold no secret: it is not encrypted at rest, and nearly everybody may read it.

Files inside it are searched line by line, JSON by its keys, binary data where it is text.
Source: Kubernetes, "ConfigMaps"; "Good practices for Kubernetes Secrets".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress

from policies.resource_types import CONFIG_MAP, with_patches
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.secret_values import kind_of
from policies.view import View

_LINE = re.compile(r"""^\s*(?:export\s+|-\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?(.*?)["']?,?\s*$""")


def _value(value: View) -> Iterator[Judgement]:
    yield from _text(value, value.text())


def _binary(value: View) -> Iterator[Judgement]:
    with suppress(ValueError):  # no text
        text = base64.b64decode(value.text()).decode()
        if "\0" not in text:
            yield from _text(value, text)


def _text(value: View, text: str) -> Iterator[Judgement]:
    name = value.path.rpartition("data.")[2]
    lines = text.splitlines()
    for key, inner in _keys_of_json(text):
        if kind := kind_of(key, inner):
            yield Finding(
                evidence=f"{value.path}, key {key}, has {kind}",
                fix="move it to Vault or to a Secret",
            )
            return
    for number, line in enumerate(lines, start=1):
        pair = _LINE.match(line)
        kind = kind_of(pair[1], pair[2]) if pair else kind_of("", line)
        if kind := kind or (kind_of(name, line) if len(lines) == 1 else None):
            where = value.path if len(lines) == 1 else f"{value.path}, line {number}"
            yield Finding(evidence=f"{where} has {kind}", fix="move it to Vault or to a Secret")
            return


def _keys_of_json(text: str) -> Iterator[tuple[str, str]]:
    """Every text in a JSON document with its key; nothing for other text."""
    try:
        waiting = [("", json.loads(text))]
    except (ValueError, RecursionError):
        return
    while waiting:
        match waiting.pop():
            case (_, dict(entries)):
                waiting += entries.items()
            case (key, list(entries)):
                waiting += ((key, entry) for entry in entries)
            case (key, str(inner)):
                yield key, inner


def check(config_map: View) -> Iterator[Judgement]:
    """Yield a finding for each key that holds something like a secret."""
    yield from each([config_map["data"]], lambda data: each(_values(data), _value))
    yield from each([config_map["binaryData"]], lambda data: each(_values(data), _binary))


def _values(data: View) -> Iterator[View]:
    return (value for _, value in data.items())


RULE = Rule(
    id="config-map-holds-no-secret",
    title="A ConfigMap must hold no secret.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.4.1", "NIST SP 800-53 SC-28"),
    resource_types=with_patches(CONFIG_MAP),
    remediation="Keep secrets in Vault and name their path in the ConfigMap.",
    check=check,
)
