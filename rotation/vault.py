"""Vault's API as the rotations use it: read, write and list a path.

Owns only how "nothing there" is told from a refusal. Which server is asked, with which token, and
what failures mean is `vaultops.target`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import hvac
import hvac.exceptions

from rotation.record import Conflict

Clients = Callable[[], AbstractContextManager[hvac.Client]]


def read(clients: Clients, path: str) -> dict[str, Any] | None:
    """The `data` at `path`; None when nothing is there. Raises VaultOpsError."""
    with clients() as client:
        try:
            found: dict[str, Any] = client.adapter.get(f"/v1/{path}")["data"]
        except hvac.exceptions.InvalidPath:
            return None
    return found


def write(clients: Clients, path: str, data: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The answer's `data`, {} without one. Raises VaultOpsError."""
    with clients() as client:
        answer = client.adapter.post(f"/v1/{path}", json=dict(data or {}))
    return (answer.get("data") or {}) if isinstance(answer, dict) else {}


def names(clients: Clients, path: str) -> list[str]:
    """What lies directly below `path`."""
    with clients() as client:
        try:
            found: list[str] = client.adapter.list(f"/v1/{path}")["data"]["keys"]
        except hvac.exceptions.InvalidPath:
            return []
    return found


def read_secret(clients: Clients, path: str) -> tuple[dict[str, Any] | None, int]:
    """The newest version of a KV v2 secret (`secret/ml/mlflow`) and its number; (None, number)
    when it was deleted, (None, 0) when there was never one."""
    with clients() as client:
        return secret_of(client, path)


def secret_of(client: hvac.Client, path: str) -> tuple[dict[str, Any] | None, int]:
    """As `read_secret`, by a client that is kept for more."""
    mount, _, rest = path.partition("/")
    try:
        found = client.adapter.get(f"/v1/{mount}/data/{rest}")["data"]
    except hvac.exceptions.InvalidPath as nothing:
        body = nothing.json if isinstance(nothing.json, dict) else {}
        deleted = (body.get("data") or {}).get("metadata") or {}
        return None, int(deleted.get("version", 0))
    return found["data"], int(found["metadata"]["version"])


def write_secret(clients: Clients, path: str, values: Mapping[str, object], version: int) -> int:
    """Write the version after `version`; returns its number. Raises Conflict, VaultOpsError."""
    mount, _, rest = path.partition("/")
    with clients() as client:
        try:
            answer = client.adapter.post(
                f"/v1/{mount}/data/{rest}",
                json={"options": {"cas": version}, "data": dict(values)},
            )
        except hvac.exceptions.InvalidRequest as refused:
            if "check-and-set" in str(refused):
                raise Conflict(path) from None
            raise
    return int(answer["data"]["version"])
