"""The Vault side of access: what the engine is asked for, before and after Vault exists."""

from __future__ import annotations

import pytest

from access.grant import Grant
from access.policy_hcl import parse
from components.vault.auth import KubernetesAuth, KubernetesAuthArgs
from components.vault.grant import VaultGrant, VaultGrantArgs
from components.vault.kv import KvEngine, KvEngineArgs
from tests.unit.support.monitor import Deployment, deploy

GRANT = Grant(
    name="ml-app",
    service_accounts=("ml-app-sa",),
    namespaces=("ml-training", "ml-serving"),
    secrets=("secret/ml/mlflow",),
    ttl="24h",
)


def program() -> None:
    auth = KubernetesAuth("auth", KubernetesAuthArgs())
    KvEngine("kv", KvEngineArgs(protect=True))
    VaultGrant("ml-app", VaultGrantArgs(grant=GRANT, auth_path=auth.path))


@pytest.fixture(params=[False, True], ids=["up", "preview"])
def deployed(request: pytest.FixtureRequest) -> Deployment:
    return deploy(program, preview=request.param)


def test_the_tree_is_as_pinned(deployed: Deployment) -> None:
    assert deployed.tree() == [
        "strongroom:vault:Grant ml-app",
        "  vault:index/policy:Policy ml-app-policy",
        "  vault:kubernetes/authBackendRole:AuthBackendRole ml-app-role",
        "strongroom:vault:KubernetesAuth auth",
        "  vault:index/authBackend:AuthBackend auth-mount",
        "  vault:kubernetes/authBackendConfig:AuthBackendConfig auth-config",
        "strongroom:vault:KvEngine kv",
        "  vault:index/mount:Mount kv-mount",
        "  vault:kv/secretBackendV2:SecretBackendV2 kv-settings",
    ]


def test_the_role_binds_accounts_namespaces_and_audience(deployed: Deployment) -> None:
    role = deployed.one("vault:kubernetes/authBackendRole:AuthBackendRole").inputs
    assert role["boundServiceAccountNames"] == ["ml-app-sa"]
    assert role["boundServiceAccountNamespaces"] == ["ml-training", "ml-serving"]
    assert role["audience"] == "vault"
    assert role["aliasNameSource"] == "serviceaccount_uid"
    assert role["tokenNoDefaultPolicy"] is True
    assert (role["tokenTtl"], role["tokenMaxTtl"]) == (3600, 86_400)


def test_the_policy_is_the_grants(deployed: Deployment) -> None:
    policy = deployed.one("vault:index/policy:Policy").inputs
    assert policy["name"] == "ml-app"
    assert parse(policy["policy"], "ml-app") == GRANT.policy


def test_the_auth_method_stores_no_reviewer_token(deployed: Deployment) -> None:
    config = deployed.one("vault:kubernetes/authBackendConfig:AuthBackendConfig").inputs
    assert set(config) == {"backend", "kubernetesHost", "disableIssValidation"}


def test_a_protected_engine_cannot_be_deleted(deployed: Deployment) -> None:
    assert deployed.one("vault:index/mount:Mount").protect
