"""Secrets engines and auth methods as things, from the engine's state and from Vault's listing.

Owns the facts of a mount: what it is, how long its leases live, and what the audit log shows of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drift.model import Kind, Thing

# Vault makes these itself, and nothing about them can be declared.
BUILT_IN_ENGINES = frozenset({"agent-registry/", "cubbyhole/", "identity/", "sys/"})
BUILT_IN_AUTH = frozenset({"token/"})
_TUNED = {
    "default_lease_ttl": "defaultLeaseTtl",
    "max_lease_ttl": "maxLeaseTtl",
    "audit_non_hmac_request_keys": "auditNonHmacRequestKeys",
    "audit_non_hmac_response_keys": "auditNonHmacResponseKeys",
    "listing_visibility": "listingVisibility",
    "passthrough_request_headers": "passthroughRequestHeaders",
    "allowed_response_headers": "allowedResponseHeaders",
}
_IN_SECONDS = {"default_lease_ttl", "max_lease_ttl"}
# What Vault answers where nobody chose one.
_TOKEN_TYPE = "default-service"  # noqa: S105 -- a kind of token


def declared_engine(outputs: Mapping[str, Any], type_: str, *, origin: str) -> Thing:
    """An engine of the program; `type_` where its resource makes engines of one type only."""
    kind = type_ or outputs["type"]
    versioned = kind.removeprefix("kv-v") if kind.startswith("kv-v") else None
    options = outputs.get("options") or {}
    tuned = {
        name: outputs.get(f"{key}Seconds" if name in _IN_SECONDS else key)
        for name, key in _TUNED.items()
    }
    return Thing(
        kind=Kind.ENGINE,
        name=outputs["path"],
        facts={
            "type": "kv" if versioned else kind,
            "version": versioned or options.get("version"),
            "description": outputs.get("description"),
            "seal_wrap": outputs.get("sealWrap"),
            **tuned,
        },
        origin=origin,
    )


def declared_auth(
    outputs: Mapping[str, Any], tune: Mapping[str, Any], type_: str, *, origin: str
) -> Thing:
    """An auth method of the program. `tune` is what it sets itself: the state fills in the
    server's defaults, which are no part of the mount."""
    return Thing(
        kind=Kind.AUTH,
        name=outputs["path"],
        facts={
            "type": outputs.get("type") or type_,
            "description": outputs.get("description"),
            "token_type": tune.get("tokenType") or _TOKEN_TYPE,
            **{name: tune.get(key) for name, key in _TUNED.items()},
        },
        origin=origin,
    )


def live_mount(kind: Kind, path: str, entry: Mapping[str, Any]) -> Thing:
    """An engine or auth method as Vault lists it."""
    config = entry.get("config") or {}
    facts = {
        "type": entry["type"],
        "version": (entry.get("options") or {}).get("version"),
        "description": entry.get("description"),
        "seal_wrap": entry.get("seal_wrap"),
        "token_type": config.get("token_type") or _TOKEN_TYPE,
        **{name: config.get(name) for name in _TUNED},
    }
    return Thing(kind=kind, name=path.removesuffix("/"), facts=facts)
