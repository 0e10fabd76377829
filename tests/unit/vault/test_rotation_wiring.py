"""From the stack's settings to the rotation's job: what it is told, may do, and whom it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.rules.kubernetes import config_map_holds_no_secret
from policies.view import View
from settings import Settings
from settings.reader import read
from tests.unit.support.stacks import changed
from wiring import rotation

CONSUMER = {"namespace": "ml-training", "workload": "deployment/mlflow"}


def stack(*credentials: dict[str, Any]) -> Settings:
    return Settings.parse(
        {
            "environment": "local",
            "cloud": "aws",
            "aws": {"region": "eu-central-1", "accountId": "123456789012"},
            "network": {
                "apiServer": {"cidrs": ["10.77.0.0/24"], "port": 6443},
                "kms": {"cidrs": ["10.77.0.2/32"], "port": 5000},
                "databases": [{"cidrs": ["10.77.0.2/32"], "port": 5432}],
            },
            "vault": {
                "address": "https://127.0.0.1:18200",
                "image": {"repository": "strongroom.local/vault"},
                "injector": {"image": {"repository": "strongroom.local/vault-k8s"}},
                "chart": {"source": "path", "location": "local/charts/vault"},
                "seal": {"type": "awskms", "createKey": True},
                "custodian": {"type": "file"},
            },
            "engines": {
                "database": {
                    "host": "10.77.0.2",
                    "database": "mlflow",
                    "passwordFile": "fake-password-file",
                    "caFile": "fake-ca.crt",
                    "roles": [{"name": "ml-readonly", "access": "read"}],
                    "staticRoles": [
                        {
                            "name": "rotation-admin",
                            "username": "rotation_admin",
                            "schedule": "0 3 * * 0",
                        }
                    ],
                },
                "aws": {
                    "roles": [
                        {
                            "name": "ml-s3-access",
                            "role": "arn:aws:iam::123456789012:role/ml",
                            "buckets": ["example-data"],
                        }
                    ],
                    "rootKey": {"file": "fake-aws-key"},
                },
                "transit": {"keys": [{"name": "strongroom-rotation", "algorithm": "ed25519"}]},
            },
            "rotation": {
                "job": {"image": {"repository": "registry.example.com/strongroom", "tag": "1.0.0"}},
                "credentials": list(credentials),
            },
        },
        source="a test",
    )


def password(**changes: Any) -> dict[str, Any]:
    return {
        "type": "database-password",
        "name": "mlflow-database",
        "users": ["mlflow", "mlflow_clone"],
        "owner": "mlflow_owner",
        "admin": "rotation-admin",
        "publish": {"vault": "secret/ml/mlflow-database"},
        "consumers": [{**CONSUMER, "reload": "file"}],
        **changes,
    }


def test_the_pod_is_told_the_same_rotations_and_where_the_authority_is() -> None:
    settings = stack(password(), {"type": "vault-database-root", "name": "vault-database"})
    values = yaml.safe_load(rotation.told(settings))["config"]
    again = read(values, secret_keys=set(), source="in the pod")
    assert again.rotation == settings.rotation
    assert again.vault.namespace == settings.vault.namespace
    assert again.engines.database is not None
    assert again.engines.database.ca_file == "/etc/strongroom/database-ca.crt"
    assert again.kubernetes.kubeconfig is None
    assert again.grants == ()


def test_what_the_pod_is_told_does_not_look_like_a_secret_to_the_policies() -> None:
    rolled_out = {**CONSUMER, "reload": "rollout", "waitsFor": "mlflow-login"}
    settings = stack(
        password(consumers=[rolled_out]),
        {"type": "vault-database-root", "name": "vault-database"},
        {"type": "vault-static-role", "name": "static", "role": "rotation-admin"},
        {"type": "vault-aws-root", "name": "vault-aws", "user": "fake-vault"},
        {"type": "secrets-manager", "name": "value", "secretId": "ml/value"},
        {
            "type": "iam-access-key",
            "name": "exporter",
            "user": "exporter",
            "publish": {"secretsManager": "ml/exporter"},
        },
    )
    config_map = View({"data": {"Pulumi.stack.yaml": rotation.told(settings)}})
    assert list(config_map_holds_no_secret.check(config_map)) == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("local", {}),
        ("dev", {}),
        ("prod", {}),
        (
            "prod",
            {"vault.tls": {"source": "cert-manager", "issuer": "ca", "caFile": "Pulumi.yaml"}},
        ),
    ],
)
def test_what_the_pod_of_an_environment_is_told_is_right_without_the_deployers_files(
    name: str, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = rotation.told(Settings.parse(changed(name, changes), source="a stack"))
    monkeypatch.chdir(tmp_path)
    again = read(yaml.safe_load(text)["config"], secret_keys=set(), source="in the pod")
    assert again.environment == name
    assert (again.grants, again.auth.oidc) == ((), None)


def test_the_policy_has_what_the_credentials_need_and_no_more() -> None:
    one = set(rotation.paths(stack({"type": "vault-database-root", "name": "vault-database"})))
    assert {"database/rotate-root/mlflow", "transit/sign/strongroom-rotation"} <= one
    assert not [path for path in one if path.startswith("secret/data/ml/")]
    both = set(
        rotation.paths(stack(password(), {"type": "vault-database-root", "name": "vault-database"}))
    )
    assert both - one == {"database/static-creds/rotation-admin", "secret/data/ml/mlflow-database"}


def test_a_workload_of_two_credentials_is_followed_once_with_all_that_either_needs() -> None:
    settings = stack(
        password(consumers=[{**CONSUMER, "reload": "rollout", "waitsFor": "mlflow"}]),
        password(
            name="other",
            users=["other", "other_clone"],
            owner="other_owner",
            publish={"vault": "secret/ml/other"},
            consumers=[{**CONSUMER, "reload": "file", "endpoint": "8080/credential"}],
        ),
    )
    (found,) = rotation.followed(settings.rotation)
    assert (found.namespace, found.workload) == ("ml-training", "deployment/mlflow")
    assert (found.rolls_out, found.asks_pods, found.external_secret) == (True, True, "mlflow")
