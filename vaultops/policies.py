"""The policies that the bootstrap writes itself: the deployer's and the operator's.

Owns exactly which paths each needs. Both are narrow; neither may change itself, its login or the
audit devices. The deployer writes policies and roles, so who may deploy decides who may read: that
is what reviews and the policy pack watch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

DEPLOYER_POLICY = "strongroom-deployer"
OPERATOR_POLICY = "strongroom-operator"
DEPLOYER_MOUNT = "deployer"

_MANAGE = ("create", "read", "update", "delete", "list")
_SETTLE = ("create", "read", "update", "list")
_OWN_TOKEN = {
    "auth/token/lookup-self": ("read",),
    "auth/token/renew-self": ("update",),
    "auth/token/revoke-self": ("update",),
}


def _spellings(name: str) -> dict[str, tuple[str, ...]]:
    """Denials for `name` in every spelling: Vault trims policy names and makes them lower case,
    but compares paths as they are, so that `acl/Name` would pass a denial of `acl/name`."""
    upper = (f"{name[:i]}{letter.upper()}" for i, letter in enumerate(name) if letter.isalpha())
    return {f"sys/policies/acl/{prefix}*": ("deny",) for prefix in (name, " ", *upper)}


_DEPLOYER = {
    **_OWN_TOKEN,
    "sys/mounts": ("read", "list"),
    "sys/mounts/*": _MANAGE,
    "sys/auth": ("read", "list"),
    "sys/auth/*": (*_MANAGE, "sudo"),
    "sys/policies/acl": ("list",),
    "sys/policies/acl/*": _MANAGE,
    "auth/kubernetes/config": _MANAGE,
    "auth/kubernetes/role": ("list",),
    "auth/kubernetes/role/*": _MANAGE,
    **{
        f"auth/{path}": _MANAGE
        for path in (
            "oidc/config",
            "oidc/role/*",
            "github-actions/config",
            "github-actions/role/*",
            "approle/role/*",
            "aws/config/client",
            "aws/role/*",
            "ldap/config",
            "ldap/groups/*",
            "github/config",
            "github/map/teams/*",
        )
    },
    "secret/config": _SETTLE,
    "database/config/*": _MANAGE,
    "database/roles/*": _MANAGE,
    "database/static-roles/*": _MANAGE,
    "database/rotate-root/*": ("update",),
    "aws/config/*": _MANAGE,
    "aws/roles/*": _MANAGE,
    "aws/static-roles/*": _MANAGE,
    "transit/keys/*": _MANAGE,
    **{
        f"{mount}/{path}": _MANAGE
        for mount in ("pki", "pki-int")
        for path in (
            "config/*",
            "root/*",
            "intermediate/*",
            "issuers/*",
            "issuer/*",
            "key/*",
            "roles/*",
        )
    },
    "pki/sign-verbatim/*": ("deny",),
    "pki/root/sign-intermediate": ("update",),
    **_spellings(DEPLOYER_POLICY),
    **_spellings(OPERATOR_POLICY),
    f"sys/auth/{DEPLOYER_MOUNT}": ("deny",),
    f"sys/auth/{DEPLOYER_MOUNT}/*": ("deny",),
    f"sys/mounts/auth/{DEPLOYER_MOUNT}/*": ("deny",),
    f"auth/{DEPLOYER_MOUNT}/*": ("deny",),
    "auth/token/create*": ("deny",),
    "sys/audit*": ("deny",),
    "sys/raw*": ("deny",),
    "sys/generate-root*": ("deny",),
    "sys/storage/*": ("deny",),
}

# How Vault is configured, for drift and compliance: reads only, and no path that answers with a
# secret value or a credential. Engines are named, because on a KV version 1 engine `+/roles/+`
# would be people's secrets; `auth/+/role/+` is no AppRole's role-id, which lies a segment deeper.
_LOOK = {
    "sys/mounts": ("read",),
    "sys/auth": ("read",),
    "sys/policies/acl": ("list",),
    "sys/policies/acl/+": ("read",),
    "sys/config/state/sanitized": ("read",),
    "sys/key-status": ("read",),
    "secret/config": ("read",),
    "auth/token/accessors": ("list", "sudo"),
    "auth/token/lookup-accessor": ("update",),
    "auth/+/config": ("read",),
    "identity/group/id": ("list",),
    "identity/group/id/+": ("read",),
    **{
        path: capabilities
        for listed in (
            *(f"auth/+/{kind}" for kind in ("role", "groups", "users", "map/teams", "map/users")),
            *(f"database/{kind}" for kind in ("config", "roles", "static-roles")),
            *(f"aws/{kind}" for kind in ("roles", "static-roles")),
            *(f"{mount}/roles" for mount in ("pki", "pki-int")),
            "transit/keys",
        )
        for path, capabilities in ((listed, ("list",)), (f"{listed}/+", ("read",)))
    },
}

_OPERATOR = {
    **_OWN_TOKEN,
    "sys/storage/raft/snapshot": ("read",),
    "sys/storage/raft/autopilot/state": ("read",),
    "sys/storage/raft/autopilot/configuration": ("read",),
    "sys/storage/raft/configuration": ("read",),
    "sys/step-down": ("update", "sudo"),
    "sys/audit": ("read", "sudo"),
    **_LOOK,
}


def deployer_policy() -> str:
    """What the Pulumi program needs, as HCL."""
    return _hcl(_DEPLOYER)


def operator_policy() -> str:
    """What snapshots, upgrades and checks of the configuration need, as HCL.

    Restoring is not in it: that takes a quorum.
    """
    return _hcl(_OPERATOR)


def _hcl(paths: Mapping[str, tuple[str, ...]]) -> str:
    return "\n".join(
        f"path {json.dumps(path)} {{\n  capabilities = {json.dumps(capabilities)}\n}}"
        for path, capabilities in paths.items()
    )
