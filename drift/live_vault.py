"""What Vault really holds, as things.

Owns which paths are read. Reads mounts, policies, logins, audit devices, groups and the objects of
the program's own engines; never a secret, a lease or a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from drift.bootstrap import AUDIT_OPTIONS
from drift.model import Kind, Thing, Unread
from drift.mounts import BUILT_IN_AUTH, BUILT_IN_ENGINES, live_mount
from vaultops.look import Look, NotAllowedError

BUILT_IN_POLICIES = frozenset({"default", "root"})
# Below an auth method of a type: where its logins lie.
_LOGINS: Mapping[str, tuple[str, ...]] = {
    "approle": ("role",),
    "aws": ("role",),
    "github": ("map/teams", "map/users"),
    "jwt": ("role",),
    "kubernetes": ("role",),
    "ldap": ("groups", "users"),
    "oidc": ("role",),
    "userpass": ("users",),
}
_CONFIGURED = frozenset({"github", "jwt", "kubernetes", "ldap", "oidc"})
_OBJECTS: Mapping[str, tuple[str, ...]] = {
    "aws": ("roles", "static-roles"),
    "database": ("config", "roles", "static-roles"),
    "pki": ("roles",),
    "transit": ("keys",),
}


class LiveVault:
    """Everything that was found, and in `unread` what was not allowed to be read.

    Of the engines only `engines` are looked into: the operator may read no others.
    """

    def __init__(self, look: Look, engines: Iterable[str]) -> None:
        self.unread: list[Unread] = []
        self._look = look
        mounts = self._mounts(Kind.ENGINE, "sys/mounts", BUILT_IN_ENGINES)
        auth = self._mounts(Kind.AUTH, "sys/auth", BUILT_IN_AUTH)
        ours = [mount for mount in mounts if mount.name in set(engines)]
        self.things: tuple[Thing, ...] = (
            *mounts,
            *auth,
            *self._audit(),
            *self._policies(),
            *(found for mount in auth for found in self._logins(mount)),
            *(found for mount in ours for found in self._objects(mount)),
            *self._below(Kind.GROUP, "identity/group/id"),
        )

    def _mounts(self, kind: Kind, path: str, built_in: frozenset[str]) -> list[Thing]:
        found = self._guard(kind, "", lambda: self._look.read(path)) or {}
        return [live_mount(kind, name, found[name]) for name in found if name not in built_in]

    def _audit(self) -> Iterator[Thing]:
        found = self._guard(Kind.AUDIT, "", lambda: self._look.read("sys/audit")) or {}
        for name, device in found.items():
            options = device.get("options") or {}
            facts = {
                "type": device["type"],
                **dict.fromkeys(AUDIT_OPTIONS),
                **options,
            }
            yield Thing(kind=Kind.AUDIT, name=name.removesuffix("/"), facts=facts)

    def _policies(self) -> Iterator[Thing]:
        path = "sys/policies/acl"
        for name in self._guard(Kind.POLICY, "", lambda: self._look.names(path)) or ():
            if name not in BUILT_IN_POLICIES:
                yield from self._one(Kind.POLICY, f"{path}/{name}", name)

    def _logins(self, mount: Thing) -> Iterator[Thing]:
        type_, base = mount.facts["type"], f"auth/{mount.name}"
        if type_ in _CONFIGURED:
            yield from self._one(Kind.LOGIN, f"{base}/config")
        for part in _LOGINS.get(type_, ()):
            yield from self._below(Kind.LOGIN, f"{base}/{part}")

    def _objects(self, mount: Thing) -> Iterator[Thing]:
        if mount.facts["version"] == "2":
            yield from self._one(Kind.OBJECT, f"{mount.name}/config")
        for part in _OBJECTS.get(mount.facts["type"], ()):
            yield from self._below(Kind.OBJECT, f"{mount.name}/{part}")

    def _below(self, kind: Kind, path: str) -> Iterator[Thing]:
        for name in self._guard(kind, f"{path}/", lambda: self._look.names(path)) or ():
            yield from self._one(kind, f"{path}/{name}")

    def _one(self, kind: Kind, path: str, name: str = "") -> Iterator[Thing]:
        found = self._guard(kind, name or path, lambda: self._look.read(path))
        if found is not None:
            yield Thing(kind=kind, name=name or path, facts=_facts(path, found))

    def _guard(self, kind: Kind, below: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except NotAllowedError as error:
            self.unread.append(Unread(kind=kind, below=below, why=str(error)))
            return None


def _facts(path: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
    if "/map/" in path:  # GitHub's teams and users: one text with commas
        value = str(found.get("value") or "")
        return {"policies": [name.strip() for name in value.split(",") if name.strip()]}
    return {**found, **(found.get("connection_details") or {})}
