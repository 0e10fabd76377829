"""Drift on the real platform: nothing while nobody touches it, and everything that somebody does.

What is made by hand is made as the deployer and as the cluster's administrator, and is undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hvac
import pytest
from kubernetes import client

from local.environment import Environment
from tests.e2e.commands import exported, strongroom
from vaultops.identity import deployer_role, log_in, request_jwt
from vaultops.look import Look
from vaultops.session import operator_session
from vaultops.state import observe
from vaultops.target import VaultTarget

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

POLICY = "sys/policies/acl/made-by-hand"
ROLE = "auth/kubernetes/role/ml-notebook"
GRANT = "sys/policies/acl/ml-notebook"
WIDER = '\npath "secret/data/*" {\n  capabilities = ["read"]\n}\n'
BINDING = "made-by-hand"
NAMESPACE = "ml-training"


@contextmanager
def deployer(target: VaultTarget) -> Iterator[hvac.Client]:
    """Vault as the deployer, who may write policies and logins; the token ends with the block."""
    role = deployer_role()
    with target.pod_client(observe(target).active or 0) as vault:
        vault.token = log_in(vault, role, request_jwt(target.kubectl)(role))["client_token"]
        yield vault
        vault.auth.token.revoke_self()


@contextmanager
def changed_by_hand(environment: Environment, target: VaultTarget) -> Iterator[None]:
    """A policy and a binding more, a login and a grant's policy changed; undone at the end."""
    rbac = client.RbacAuthorizationV1Api(environment.cluster().api())
    with deployer(target) as vault:
        role, grant = (vault.read(path)["data"] for path in (ROLE, GRANT))
        changes: dict[str, dict[str, Any]] = {
            POLICY: {"policy": WIDER},
            ROLE: {**role, "token_ttl": 7 * 24 * 3600, "token_max_ttl": 7 * 24 * 3600},
            GRANT: {"policy": grant["policy"] + WIDER},
        }
        try:
            for path, data in changes.items():
                vault.write_data(path, data=data)
            rbac.create_namespaced_role_binding(NAMESPACE, _binding())
            yield
        finally:
            vault.delete(POLICY)
            vault.write_data(ROLE, data=role)
            vault.write_data(GRANT, data={"policy": grant["policy"]})
            rbac.delete_namespaced_role_binding(BINDING, NAMESPACE)


def _binding() -> client.V1RoleBinding:
    return client.V1RoleBinding(
        metadata=client.V1ObjectMeta(name=BINDING),
        role_ref=client.V1RoleRef(
            api_group="rbac.authorization.k8s.io", kind="ClusterRole", name="view"
        ),
        subjects=[client.RbacV1Subject(kind="ServiceAccount", name="default", namespace=NAMESPACE)],
    )


def test_what_is_changed_by_hand_is_listed_until_it_is_undone(
    environment: Environment, target: VaultTarget, tmp_path: Path
) -> None:
    state = exported(environment, tmp_path)
    tokens = _operators(target)
    before = strongroom(environment, "drift", "--state", state)
    assert before.returncode == 0, before.stdout + before.stderr
    assert before.stdout.startswith("No drift; ")
    # The command's login is the operator's, and ends with it.
    assert _operators(target) <= tokens
    with changed_by_hand(environment, target):
        found = strongroom(environment, "drift", "--state", state, "--json")
    assert found.returncode == 1, found.stdout + found.stderr
    told = json.loads(found.stdout)
    assert told["notCompared"] == []
    assert told["compared"] > 60
    assert {(d["state"], d["kind"], d["name"]): d["details"] for d in told["differences"]} == {
        ("changed", "policy", "ml-notebook"): ["secret/data/*: now says read"],
        ("changed", "login", ROLE): [
            "token_max_ttl: 604800, in the program 28800",
            "token_ttl: 604800, in the program 3600",
        ],
        ("unmanaged", "policy", "made-by-hand"): [],
        ("unmanaged", "RBAC object", f"RoleBinding {NAMESPACE}/{BINDING}"): [],
    }
    after = strongroom(environment, "drift", "--state", state)
    assert after.returncode == 0, after.stdout + after.stderr


def _operators(target: VaultTarget) -> set[str]:
    """The accessors of the operator's tokens, as one more of them sees them, without that."""
    with (
        operator_session(target, target.kubectl) as token,
        target.pod_client(observe(target).active or 0, token) as vault,
    ):
        look = Look(vault)
        own = vault.auth.token.lookup_self()["data"]["accessor"]
        found = {name: look.token(name) for name in look.names("auth/token/accessors")}
    return {
        name
        for name, entry in found.items()
        if entry and entry["policies"] == ["strongroom-operator"] and name != own
    }
