"""Reads what the checker judges: exported stacks, manifests, Vault policies, IAM documents.

Owns telling the forms apart and giving each thing the type under which the rules know it. What
cannot be read is kept beside what can, with its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policies.judge import shown
from policies.resource_types import VAULT_POLICY, VAULT_SERVER_CONFIG
from policies.rule import Resource
from policies.view import BRIDGE_NOTE, ENCRYPTED

LARGEST = 2_000_000
"""So many values a file may hold, each counted as often as an anchor repeats it."""
SUFFIXES = (".hcl", ".json", ".yaml", ".yml")
_SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 -- the engine's mark, not a secret
_SERVER_WORD = re.compile(r"^(listener|storage|seal|api_addr)\b", re.MULTILINE | re.IGNORECASE)
# A server's configuration has a path only as a property of its storage.
_POLICY_PATH = re.compile(r"\bpath\b(?!\s*=)")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file, or a part of it, that was not judged, and why. `broken`: it should have been."""

    place: str
    reason: str
    broken: bool


@dataclass(kw_only=True)
class Sources:
    """Everything that was read. `files` says where each URN comes from."""

    resources: list[Resource] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    def add(self, path: Path) -> None:
        """Read a file, or every file of a known suffix below a folder. Raises OSError.

        A folder in which nothing can be judged is broken, as a file is that was named.
        """
        if path.is_dir():
            before = len(self.resources)
            for each in sorted(path.rglob("*")):
                if each.suffix in SUFFIXES and each.is_file():
                    self._read(each, named=False)
            if len(self.resources) == before:
                self._leave_out(path, "holds nothing that a rule knows", broken=True)
        else:
            self._read(path, named=True)

    def _read(self, path: Path, *, named: bool) -> None:
        try:
            found = list(_resources(path, path.read_text()))
        except (ValueError, yaml.YAMLError) as error:
            self._leave_out(path, f"cannot be read: {str(error).splitlines()[0]}", broken=True)
            return
        except RecursionError:
            self._leave_out(path, "cannot be read: it is nested too deep", broken=True)
            return
        except (AttributeError, KeyError, TypeError) as error:
            reason = f"has not the form that it seems to have ({error!r})"
            self._leave_out(path, reason, broken=True)
            return
        if not found:
            self._leave_out(path, "holds nothing that a rule knows", broken=named)
        for resource in found:
            self.resources.append(resource)
            self.files[resource.urn] = path

    def _leave_out(self, path: Path, reason: str, *, broken: bool) -> None:
        unread = Unread(place=shown(str(path)), reason=shown(reason), broken=broken)
        self.unread.append(unread)


def _resources(path: Path, text: str) -> Iterator[Resource]:
    if path.suffix == ".hcl":
        yield _vault(path, text)
        return
    documents = [json.loads(text)] if path.suffix == ".json" else list(yaml.safe_load_all(text))
    _refuse_expanding(documents)
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        # The API server drops the keys that it does not know: they make a manifest nothing else.
        if "apiVersion" in document and "kind" in document:
            yield from _manifest(path, document)
        elif listed := _exported(document):
            yield from _stack(listed)
        elif "Statement" in document:
            yield _iam(path, document)
        elif set(document) <= {"path", "name"} and "path" in document:
            yield _vault(path, text)


def _refuse_expanding(documents: list[Any]) -> None:
    """Raise ValueError for YAML whose anchors name each other, again and again or for ever."""
    waiting, seen = list(documents), 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > LARGEST:
            raise ValueError(f"it holds more than {LARGEST} values, or its anchors a circle")
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _exported(document: Mapping[str, Any]) -> list[Any]:
    for keys in (("deployment",), ("checkpoint", "latest")):
        inside: Any = document
        for key in keys:
            inside = inside.get(key) if isinstance(inside, Mapping) else None
        if isinstance(inside, Mapping) and isinstance(inside.get("resources"), list):
            return list(inside["resources"])
    return []


def _stack(listed: list[Any]) -> Iterator[Resource]:
    for entry in listed:
        if entry.get("custom") and not entry.get("delete"):
            yield Resource(
                type=entry["type"],
                name=entry["urn"].rpartition("::")[2],
                urn=entry["urn"],
                properties=_unsealed(entry.get("inputs") or {}),
                depends_on={
                    key: frozenset(urns or ())
                    for key, urns in (entry.get("propertyDependencies") or {}).items()
                },
            )


def _unsealed(value: Any) -> Any:
    """The value with `ENCRYPTED` for secrets; a decrypted export has their plain text."""
    if isinstance(value, Mapping):
        if _SECRET not in value:
            return {key: _unsealed(each) for key, each in value.items() if key != BRIDGE_NOTE}
        return json.loads(value["plaintext"]) if "plaintext" in value else ENCRYPTED
    return [_unsealed(each) for each in value] if isinstance(value, list) else value


def _manifest(path: Path, document: Mapping[str, Any]) -> Iterator[Resource]:
    version, kind = str(document["apiVersion"]), str(document["kind"])
    if kind == "List":
        for item in document.get("items") or ():
            yield from _manifest(path, item)
        return
    if kind.endswith("List") and isinstance(document.get("items"), list):
        # A RoleList, say: its items need not repeat what they are.
        own = {"apiVersion": version, "kind": kind.removesuffix("List")}
        for item in document["items"]:
            yield from _manifest(path, {**own, **item})
        return
    metadata = document.get("metadata") or {}
    place = "/".join(str(metadata[key]) for key in ("namespace", "name") if metadata.get(key))
    yield Resource(
        type=f"kubernetes:{version if '/' in version else f'core/{version}'}:{kind}",
        name=f"{kind} {place}",
        urn=f"{path}#{kind}/{place}",
        properties=document,
    )


def _vault(path: Path, text: str) -> Resource:
    is_server = _SERVER_WORD.search(text) and not _POLICY_PATH.search(text)
    kind, key = (VAULT_SERVER_CONFIG, "config") if is_server else (VAULT_POLICY, "policy")
    properties = {"name": path.stem, key: text}
    return Resource(type=kind, name=path.stem, urn=str(path), properties=properties)


def _iam(path: Path, document: Mapping[str, Any]) -> Resource:
    kind, key = _iam_kind(document["Statement"])
    return Resource(type=kind, name=path.stem, urn=str(path), properties={key: document})


def _iam_kind(listed: Any) -> tuple[str, str]:
    """The type whose property such a document is: with a principal it belongs to a resource."""
    statements = listed if isinstance(listed, list) else [listed]
    if not any("Principal" in each or "NotPrincipal" in each for each in statements):
        return "aws:iam/policy:Policy", "policy"
    actions = json.dumps([each.get("Action", each.get("NotAction")) for each in statements])
    if '"sts:' in actions:
        return "aws:iam/role:Role", "assumeRolePolicy"
    if '"secretsmanager:' in actions:
        return "aws:secretsmanager/secretPolicy:SecretPolicy", "policy"
    return "aws:kms/keyPolicy:KeyPolicy", "policy"
