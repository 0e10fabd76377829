"""Who the rotator is to Vault, and all that it may do there: less than any person.

Owns its role's names and its policy. It reads no workload's secret but the documents that it
replaces, and cannot rewrite an event line: `events/` has no update.
"""

from __future__ import annotations

from collections.abc import Iterable

from rotation.ledger import EVENTS, RECORDS
from rotation.signing import MOUNT
from vaultops.identity import Role

NAME = "strongroom-rotation"

_READ, _WRITE = ("read",), ("update",)
Paths = dict[str, tuple[str, ...]]


def rotation_role(namespace: str = "vault") -> Role:
    """The role that rotations log in with, of the workloads' auth mount."""
    return Role(
        name=NAME,
        service_account=NAME,
        audience=NAME,
        policy=NAME,
        namespace=namespace,
        mount="kubernetes",
    )


def common_paths(events_key: str) -> Paths:
    """What every run needs: its token, records, events and their signature."""
    return {
        "auth/token/revoke-self": _WRITE,
        _data(f"{RECORDS}/*"): ("create", "read", "update"),
        _data(f"{EVENTS}/*"): ("create", "read"),
        f"{EVENTS.replace('/', '/metadata/', 1)}": ("list",),
        f"{MOUNT}/sign/{events_key}": _WRITE,
        f"{MOUNT}/keys/{events_key}": _READ,
    }


def document_paths(path: str) -> Paths:
    """To publish in a KV v2 secret, by the path that people type."""
    return {_data(path): ("read", "update")}


def admin_paths(static_role: str) -> Paths:
    """To be the administrator of a database while a step lasts."""
    return {f"database/static-creds/{static_role}": _READ}


def static_role_paths(role: str) -> Paths:
    """To have a static role's password changed."""
    return {f"database/static-roles/{role}": _READ, f"database/rotate-role/{role}": _WRITE}


def database_root_paths(connection: str) -> Paths:
    """To have Vault's own database password changed."""
    return {f"database/{verb}/{connection}": _WRITE for verb in ("rotate-root", "reset")}


def aws_root_paths() -> Paths:
    """To have Vault's own AWS key changed."""
    return {"aws/config/root": _READ, "aws/config/rotate-root": _WRITE}


def merged(parts: Iterable[Paths]) -> Paths:
    """All paths of a policy; capabilities of one path are joined."""
    whole: Paths = {}
    for part in parts:
        for path, capabilities in part.items():
            whole[path] = tuple(sorted({*whole.get(path, ()), *capabilities}))
    return whole


def _data(path: str) -> str:
    return path.replace("/", "/data/", 1)
