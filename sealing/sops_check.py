"""Whether files under the rules of .sops.yaml are encrypted, in the fields and for the keys named.

Owns the judgement. It opens nothing and needs no key: sops leaves the structure readable. A finding
names file and field, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealing.documents import parse
from sealing.sops_rules import Rule, rule_for

METADATA = "sops"
ENCRYPTED = re.compile(r"ENC\[[A-Z0-9_]+,data:")
SUFFIXES = (".yaml", ".yml", ".json")
# sops 3.11, stores/stores.go: how each kind of key is written into a file, as rules name it.
RECIPIENTS = {
    "kms": "{arn}",
    "gcp_kms": "{resource_id}",
    "age": "{recipient}",
    "pgp": "{fp}",
    "azure_kv": "{vault_url}/keys/{name}/{version}",
    "hc_vault": "{vault_address}/v1/{engine_path}/keys/{key_name}",
}
SECRET_FIELDS = ("data", "stringData")


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong with a field of a file (`spec.auth.password`), or with the whole file."""

    path: str
    field: str
    what: str


def check(root: Path, paths: Iterable[Path], rules: Sequence[Rule]) -> list[Finding]:
    """Every finding in the files among `paths` and below them; `root` is .sops.yaml's folder.

    Files under a rule must be encrypted as it says; a Kubernetes Secret in clear is a finding
    wherever it lies.
    """
    return sorted(finding for path in _files(paths) for finding in _file(root, path, rules))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (p for p in below if p.suffix in SUFFIXES and p.is_file())


def _file(root: Path, path: Path, rules: Sequence[Rule]) -> Iterator[Finding]:
    absolute = path.resolve()
    base = root.resolve()
    relative = str(absolute.relative_to(base) if absolute.is_relative_to(base) else absolute)
    rule = rule_for(rules, relative)
    try:
        documents = parse(path.read_text())
    except ValueError:
        if rule:
            yield Finding(str(path), "", "is no YAML or JSON, so it cannot be encrypted by fields")
        return
    for document in documents:
        if rule:
            yield from _ruled(str(path), document, rule)
        elif _secret_in_clear(document):
            yield Finding(str(path), "", "is a Secret in clear, and under no rule")


def _ruled(path: str, document: Any, rule: Rule) -> Iterator[Finding]:
    if not isinstance(document, dict) or not isinstance(document.get(METADATA), dict):
        yield Finding(path, "", "is not encrypted at all")
        return
    pattern = re.compile(rule.encrypted_regex) if rule.encrypted_regex else None
    values = {key: value for key, value in document.items() if key != METADATA}
    for field in _clear(values, pattern, (), covered=pattern is None):
        yield Finding(path, field, "is in clear")
    if rule.recipients is not None:
        present = _recipients(document[METADATA])
        for key in sorted(rule.recipients - present):
            yield Finding(path, "", f"cannot be opened with {key}, which its rule names")
        for key in sorted(present - rule.recipients):
            yield Finding(path, "", f"can be opened with {key}, which its rule does not name")


def _clear(
    value: Any, pattern: re.Pattern[str] | None, place: tuple[str, ...], *, covered: bool
) -> Iterator[str]:
    """Fields in clear that should not be. A name that matches covers all below it, as in sops."""
    if isinstance(value, dict):
        for name, below in value.items():
            inside = covered or bool(pattern and pattern.search(str(name)))
            yield from _clear(below, pattern, (*place, str(name)), covered=inside)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _clear(below, pattern, (*place, str(index)), covered=covered)
    # sops leaves what is empty as it is.
    elif covered and value not in (None, "") and not ENCRYPTED.match(str(value)):
        yield ".".join(place)


def _recipients(metadata: dict[str, Any]) -> frozenset[str]:
    """Every key that opens the file, of whatever kind: as the rules name it, where they can."""
    return frozenset(
        _recipient(kind, entry)
        for kind, entries in metadata.items()
        if isinstance(entries, list) and kind != "key_groups"
        for entry in entries
    )


def _recipient(kind: str, entry: Any) -> str:
    form = RECIPIENTS.get(kind, f"a key of {kind}")
    try:
        return form.format_map(entry).rstrip("/")
    except (KeyError, TypeError, ValueError):
        return f"a damaged key of {kind}"


def _secret_in_clear(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    if isinstance(items := document.get("items"), list):  # as kubectl writes several
        return any(map(_secret_in_clear, items))
    if document.get("kind") != "Secret":
        return False
    values = {field: document.get(field) for field in SECRET_FIELDS}
    return any(_clear(values, None, (), covered=True))
