"""What the program has deployed, from `pulumi stack export`, as things.

Owns which resources are compared with the live side and under which names. A provider writes into
the state what it read back after a deployment, so those outputs are compared, under the names that
Vault's own API uses. Encrypted values are left out, and a policy whose text is one is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.state import StateError
from drift import kubernetes
from drift.bootstrap import bootstrapped
from drift.model import Kind, Thing, Unread
from drift.mounts import declared_auth, declared_engine
from review.events import SECRET

_BOOTSTRAP = "pulumi-python:dynamic/strongroom:VaultBootstrap"
_NAMESPACE = "kubernetes:core/v1:Namespace"
_CONNECTION = "vault:database/secretBackendConnection:SecretBackendConnection"
_TEAM = "vault:github/team:Team"
_POLICY = "vault:index/policy:Policy"
_ENCRYPTED = "it is encrypted in the export; export with --show-secrets to have it compared"
# What changes by itself with every rotation of a key, or has another form in the state.
_MOVING = frozenset({"keys", "latest_version"})

# Types whose id is the path in Vault at which the same facts are read.
_AT_THEIR_ID: Mapping[str, Kind] = {
    "vault:appRole/authBackendRole:AuthBackendRole": Kind.LOGIN,
    "vault:aws/authBackendRole:AuthBackendRole": Kind.LOGIN,
    "vault:jwt/authBackendRole:AuthBackendRole": Kind.LOGIN,
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": Kind.LOGIN,
    "vault:kubernetes/authBackendRole:AuthBackendRole": Kind.LOGIN,
    "vault:ldap/authBackendGroup:AuthBackendGroup": Kind.LOGIN,
    "vault:aws/secretBackendRole:SecretBackendRole": Kind.OBJECT,
    "vault:aws/secretBackendStaticRole:SecretBackendStaticRole": Kind.OBJECT,
    "vault:database/secretBackendRole:SecretBackendRole": Kind.OBJECT,
    "vault:database/secretBackendStaticRole:SecretBackendStaticRole": Kind.OBJECT,
    "vault:kv/secretBackendV2:SecretBackendV2": Kind.OBJECT,
    "vault:pkiSecret/secretBackendRole:SecretBackendRole": Kind.OBJECT,
    "vault:transit/secretBackendKey:SecretBackendKey": Kind.OBJECT,
}
_ENGINES = {"vault:index/mount:Mount": "", "vault:aws/secretBackend:SecretBackend": "aws"}
_AUTH = {
    "vault:index/authBackend:AuthBackend": "",
    "vault:github/authBackend:AuthBackend": "github",
    "vault:jwt/authBackend:AuthBackend": "jwt",
    "vault:ldap/authBackend:AuthBackend": "ldap",
}


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a stack has deployed. `namespaces` are those that it manages."""

    things: tuple[Thing, ...]
    namespaces: frozenset[str]
    unread: tuple[Unread, ...] = ()

    @property
    def engines(self) -> frozenset[str]:
        """The paths of its secrets engines, without a slash."""
        return frozenset(t.name for t in self.things if t.kind is Kind.ENGINE)


def program_of(export: Any) -> Program:
    """Read an exported stack. Raises StateError."""
    if not isinstance(export, Mapping) or not isinstance(export.get("deployment"), Mapping):
        raise StateError(
            "is no exported stack: it has no `deployment`; write one with `pulumi stack export`"
        )
    try:
        resources = [r for r in export["deployment"]["resources"] if not r.get("delete")]
        return Program(
            things=tuple(thing for r in resources for thing in _things(r)),
            namespaces=frozenset(
                r["outputs"]["metadata"]["name"] for r in resources if r["type"] == _NAMESPACE
            ),
            unread=tuple(
                Unread(kind=Kind.POLICY, below=r["id"], why=_ENCRYPTED)
                for r in resources
                if r["type"] == _POLICY and _is_secret(r["outputs"]["policy"])
            ),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise StateError(
            f"is no exported stack: an object in it has not the expected form ({error!r}); "
            "write one with `pulumi stack export`"
        ) from error


def _things(resource: Mapping[str, Any]) -> Iterator[Thing]:
    type_, urn = resource["type"], resource["urn"]
    outputs = _open(resource.get("outputs") or {})
    if kind := _AT_THEIR_ID.get(type_):
        yield Thing(kind=kind, name=resource["id"], facts=_facts(outputs), origin=urn)
    elif type_ in _ENGINES:
        yield declared_engine(outputs, _ENGINES[type_], origin=urn)
    elif type_ in _AUTH:
        inputs = _open(resource.get("inputs") or {})
        yield declared_auth(outputs, inputs.get("tune") or {}, _AUTH[type_], origin=urn)
        if _AUTH[type_]:  # those types configure the method as well
            path = f"auth/{outputs['path']}/config"
            yield Thing(kind=Kind.LOGIN, name=path, facts=_facts(outputs), origin=urn)
    elif special := _SPECIAL.get(type_):
        yield from special(resource, outputs)
    elif type_.startswith("kubernetes:") and type_.rpartition(":")[2] in kubernetes.KINDS:
        yield kubernetes.thing_of({**outputs, "kind": type_.rpartition(":")[2]}, origin=urn)


def _connection(resource: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[Thing]:
    """A database connection: its engine's own part lies a level deeper."""
    details = next(v for v in outputs.values() if isinstance(v, Mapping) and "connectionUrl" in v)
    yield Thing(
        kind=Kind.OBJECT,
        name=resource["id"],
        facts={**_facts(outputs), **_facts(details)},
        origin=resource["urn"],
    )


def _team(resource: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[Thing]:
    facts = {"policies": outputs.get("policies") or []}
    yield Thing(kind=Kind.LOGIN, name=resource["id"], facts=facts, origin=resource["urn"])


def _policy(resource: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[Thing]:
    if "policy" in outputs:  # else it is encrypted
        facts = {"policy": outputs["policy"]}
        yield Thing(kind=Kind.POLICY, name=outputs["name"], facts=facts, origin=resource["urn"])


def _bootstrap(resource: Mapping[str, Any], outputs: Mapping[str, Any]) -> Iterator[Thing]:
    yield from bootstrapped(
        namespace=outputs["namespace"],
        token_ttl=outputs["token_ttl"],
        origin=resource["urn"],
    )


_SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[Thing]]] = {
    _BOOTSTRAP: _bootstrap,
    _CONNECTION: _connection,
    _POLICY: _policy,
    _TEAM: _team,
}


def _open(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not encrypted, at every depth; the provider's own notes stay."""
    return {key: _opened(value) for key, value in values.items() if not _is_secret(value)}


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _open(value)
    return (
        [_opened(inner) for inner in value if not _is_secret(inner)]
        if isinstance(value, list)
        else value
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and SECRET in value


def _facts(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs under the names that Vault's API gives them."""
    note = outputs.get("__pulumi_raw_state_delta") or {}
    renamed = (note.get("obj") or {}).get("renamed") or {}
    named = {renamed.get(key) or _snake(key): value for key, value in outputs.items()}
    return {name: value for name, value in named.items() if name not in _MOVING}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)
