"""Live objects in the form that the rules judge: what Vault and the cluster answer, as resources.

Owns the translation of an answer into the provider's names, so that one rule holds at preview and
live. Each part that cannot be read is named with its reason, and hides none of the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from compliance.live import Live, Manifest
from policies.resource_types import (
    AWS_ENGINE_ROLE,
    DATABASE_CONNECTION,
    DATABASE_ROLE,
    DATABASE_STATIC_ROLE,
    VAULT_AUDIT,
    VAULT_MOUNT,
    VAULT_POLICY,
)
from policies.rule import Requirement, Resource
from vaultops.errors import VaultOpsError
from vaultops.look import NotAllowedError

_AUTH_BACKEND = "vault:index/authBackend:AuthBackend"
_AUTH_CONFIG = "vault:kubernetes/authBackendConfig:AuthBackendConfig"
_OF_VAULT = ("cubbyhole", "identity", "ns_cubbyhole", "ns_identity", "ns_system", "system", "token")
_LOGINS = {
    "approle": "vault:appRole/authBackendRole:AuthBackendRole",
    "aws": "vault:aws/authBackendRole:AuthBackendRole",
    "jwt": "vault:jwt/authBackendRole:AuthBackendRole",
    "kubernetes": "vault:kubernetes/authBackendRole:AuthBackendRole",
    "oidc": "vault:jwt/authBackendRole:AuthBackendRole",
}
_ENGINE_OBJECTS = {
    "aws": (("roles", AWS_ENGINE_ROLE),),
    "database": (
        ("config", DATABASE_CONNECTION),
        ("roles", DATABASE_ROLE),
        ("static-roles", DATABASE_STATIC_ROLE),
    ),
}
_KINDS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterSecretStore",
        "ConfigMap",
        "CronJob",
        "DaemonSet",
        "Deployment",
        "ExternalSecret",
        "Job",
        "Namespace",
        "Pod",
        "PushSecret",
        "Role",
        "RoleBinding",
        "SealedSecret",
        "SecretStore",
        "ServiceAccount",
        "StatefulSet",
    }
)
_CLUSTER = "kubernetes:"

# What a resource is called in the stack's state: its type and id.
Urns = Mapping[tuple[str, str], str]
# The same id, and the live object; its own place stands where a URN would.
_Found = Iterator[tuple[str, Resource]]


@dataclass
class LiveResources:
    """What was read, and for each type that could not be, why."""

    resources: list[Resource] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)

    def unread_of(self, rule: Requirement) -> str:
        """Why some objects that a rule speaks of were not read; empty when all were."""
        reasons = {why for type_, why in self.unread.items() if _speaks_of(rule, type_)}
        return "; ".join(sorted(reasons))


def is_asked_live(rule: Requirement) -> bool:
    """Whether a rule speaks of anything that Vault or the cluster is asked for."""
    return any(type_ in _ASKED or _is_read(type_) for type_ in rule.resource_types)


def live_resources(live: Live, urns: Urns) -> LiveResources:
    """Read every part; an object that the stack made carries its URN, so that waivers hold."""
    read = LiveResources()
    for types, part in _PARTS:
        try:
            read.resources += [
                replace(found, urn=urns.get((found.type, id_), found.urn))
                for id_, found in part(live)
            ]
        except (NotAllowedError, VaultOpsError) as error:
            read.unread.update(dict.fromkeys(types, str(error).replace("\n ", ";")))
    return read


def urns_of(export: Any) -> Urns:
    """The URNs of an exported stack. The export was read by the rules before."""
    resources = export["deployment"]["resources"]
    return {
        (r["type"], r["id"]): r["urn"] for r in resources if r.get("id") and not r.get("delete")
    }


def _speaks_of(rule: Requirement, unread: str) -> bool:
    if unread == _CLUSTER:
        return any(map(_is_read, rule.resource_types))
    return unread in rule.resource_types


def _is_read(type_: str) -> bool:
    return type_.startswith(_CLUSTER) and type_.rpartition(":")[2] in _KINDS


def _policies(live: Live) -> _Found:
    for name, text in live.policies.items():
        properties = {"name": name, "policy": text}
        yield name, _resource(VAULT_POLICY, f"sys/policies/acl/{name}", properties, name=name)


def _mounts(live: Live) -> _Found:
    for path, entry in live.engines.items():
        if entry["type"] not in _OF_VAULT:
            config = _camel(entry.get("config") or {})
            properties = {
                "path": path.removesuffix("/"),
                "type": entry["type"],
                "options": entry.get("options") or {},
                **config,
                "maxLeaseTtlSeconds": config.get("maxLeaseTtl"),
            }
            yield path.removesuffix("/"), _resource(VAULT_MOUNT, path, properties)


def _methods(live: Live) -> _Found:
    for path, entry in live.methods.items():
        if entry["type"] not in _OF_VAULT:
            properties = {"type": entry["type"], "tune": _camel(entry.get("config") or {})}
            yield path.removesuffix("/"), _resource(_AUTH_BACKEND, f"auth/{path}", properties)


def _audit(live: Live) -> _Found:
    for path, entry in live.audit.items():
        properties = {"type": entry["type"], "options": entry.get("options") or {}}
        yield path.removesuffix("/"), _resource(VAULT_AUDIT, f"sys/audit/{path}", properties)


def _logins(live: Live) -> _Found:
    for path, entry in live.methods.items():
        if type_ := _LOGINS.get(entry["type"]):
            for name, facts in live.below(f"auth/{path}role").items():
                place = f"auth/{path}role/{name}"
                properties = {**_camel(facts), "roleName": name, "backend": path.removesuffix("/")}
                yield place, _resource(type_, place, properties)


def _auth_config(live: Live) -> _Found:
    for path, entry in live.methods.items():
        if entry["type"] == "kubernetes" and (facts := live.look.read(f"auth/{path}config")):
            properties = _camel(facts)
            if facts.get("token_reviewer_jwt_set"):
                properties["tokenReviewerJwt"] = "one is stored"
            yield f"auth/{path}config", _resource(_AUTH_CONFIG, f"auth/{path}config", properties)


def _objects(live: Live) -> _Found:
    for path, entry in live.engines.items():
        for part, type_ in _ENGINE_OBJECTS.get(entry["type"], ()):
            for name, facts in live.below(f"{path}{part}").items():
                place = f"{path}{part}/{name}"
                properties = {**_camel(facts), "name": name, "backend": path.removesuffix("/")}
                if details := facts.get("connection_details"):
                    engine = str(facts.get("plugin_name")).removesuffix("-database-plugin")
                    properties[engine] = _camel(details)
                yield place, _resource(type_, place, properties)


def _cluster(live: Live) -> _Found:
    alone = (m for m in live.workloads if not m["metadata"].get("ownerReferences"))
    for manifest in (*live.namespaces, *alone, *live.custom, *_rbac(live)):
        version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
        place = "/".join(metadata[k] for k in ("namespace", "name") if metadata.get(k))
        type_ = f"{_CLUSTER}{version if '/' in version else f'core/{version}'}:{kind}"
        yield place, _resource(type_, f"{kind} {place}", manifest)


def _resource(type_: str, place: str, properties: Mapping[str, Any], *, name: str = "") -> Resource:
    return Resource(type=type_, name=name or place, urn=place, properties=properties)


def _rbac(live: Live) -> Iterator[Manifest]:
    """Bindings that reach an account of the stack's namespaces, and the roles they hand out."""
    ours = {m["metadata"]["name"] for m in live.namespaces}
    bindings = [m for m in live.rbac if m["kind"].endswith("Binding") and _reaches(m, ours)]
    yield from bindings
    held = {
        (
            b["roleRef"]["kind"],
            b["metadata"].get("namespace") if b["roleRef"]["kind"] == "Role" else None,
            b["roleRef"]["name"],
        )
        for b in bindings
    }
    for role in live.rbac:
        metadata = role["metadata"]
        key = (role["kind"], metadata.get("namespace"), metadata["name"])
        if key in held or (role["kind"] == "Role" and metadata["namespace"] in ours):
            yield role


def _reaches(binding: Manifest, namespaces: set[str]) -> bool:
    return binding["metadata"].get("namespace") in namespaces or any(
        subject.get("namespace") in namespaces for subject in binding.get("subjects") or ()
    )


def _camel(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Vault's names as the provider spells them. What Vault answers empty, nobody has set."""
    return {
        re.sub(r"_(\w)", lambda found: found[1].upper(), key): value
        for key, value in facts.items()
        if value not in (None, "")
    }


_PARTS: tuple[tuple[tuple[str, ...], Callable[[Live], _Found]], ...] = (
    ((VAULT_POLICY,), _policies),
    ((VAULT_MOUNT,), _mounts),
    ((_AUTH_BACKEND,), _methods),
    ((VAULT_AUDIT,), _audit),
    (tuple(sorted(set(_LOGINS.values()))), _logins),
    ((_AUTH_CONFIG,), _auth_config),
    (tuple(t for parts in _ENGINE_OBJECTS.values() for _, t in parts), _objects),
    ((_CLUSTER,), _cluster),
)
_ASKED = frozenset(type_ for types, _ in _PARTS for type_ in types)
