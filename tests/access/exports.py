"""Exported stacks as `pulumi stack export` writes them, for tests."""

from __future__ import annotations

from typing import Any

URN = "urn:pulumi:test::strongroom::"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
POLICY = "vault:index/policy:Policy"
ROLE = "vault:kubernetes/authBackendRole:AuthBackendRole"


def resource(
    type_: str, name: str, inputs: dict[str, Any], *, parent: str = "", **more: Any
) -> dict[str, Any]:
    """One resource; `parent` is the type of the component that it belongs to."""
    qualified = f"{parent}${type_}" if parent else type_
    return {"urn": f"{URN}{qualified}::{name}", "type": type_, "inputs": inputs, **more}


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    """A whole export."""
    return {"version": 3, "deployment": {"resources": list(resources)}}


def grant(name: str = "ml-app", path: str = "secret/data/ml/mlflow") -> list[dict[str, Any]]:
    """What a grant for ml-training/ml-app-sa becomes in Vault."""
    parent = "strongroom:vault:Grant"
    text = f'path "{path}" {{ capabilities = ["read"] }}'
    role = {
        "roleName": name,
        "boundServiceAccountNames": ["ml-app-sa"],
        "boundServiceAccountNamespaces": ["ml-training"],
        "tokenPolicies": [name],
        "tokenNoDefaultPolicy": True,
    }
    return [
        resource(POLICY, f"{name}-policy", {"name": name, "policy": text}, parent=parent),
        resource(ROLE, f"{name}-role", role, parent=parent),
    ]


KV = resource("vault:index/mount:Mount", "kv-mount", {"path": "secret", "type": "kv-v2"})
