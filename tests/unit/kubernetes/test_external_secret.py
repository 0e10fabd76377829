"""What is copied from a store, made by Vault, or pushed into a store."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.external_secret import (
    Entry,
    ExternalSecret,
    ExternalSecretArgs,
    Extract,
    Generated,
    go_duration,
)
from components.kubernetes.push_secret import PushSecret, PushSecretArgs, UpdatePolicy
from components.kubernetes.secret_store import StoreKind, StoreRef
from components.kubernetes.store_providers import VaultSource
from components.kubernetes.vault_generator import VaultGenerator, VaultGeneratorArgs
from tests.unit.support.monitor import Deployment, deploy

EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
PUSH = "kubernetes:external-secrets.io/v1alpha1:PushSecret"
GENERATOR = "kubernetes:generators.external-secrets.io/v1alpha1:VaultDynamicSecret"
STORE = StoreRef(name="vault-backend")


def arguments(**changes: Any) -> ExternalSecretArgs:
    given: dict[str, Any] = {
        "secret_name": "mlflow-credentials",
        "namespace": "ml-training",
        "refresh_seconds": 3600,
        "store": STORE,
        "data": (Entry(key="password", remote="ml/mlflow", prop="password"),),
    }
    return ExternalSecretArgs(**(given | changes))


def spec(**changes: Any) -> dict[str, Any]:
    deployed = deploy(lambda: ExternalSecret("external", arguments(**changes)))
    found: dict[str, Any] = deployed.one(EXTERNAL).inputs["spec"]
    return found


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_tree_is_one_object(preview: bool) -> None:
    deployed = deploy(lambda: ExternalSecret("external", arguments()), preview=preview)
    assert deployed.tree() == [
        "strongroom:kubernetes:ExternalSecret external",
        f"  {EXTERNAL} external-external",
    ]
    metadata = deployed.one(EXTERNAL).inputs["metadata"]
    assert metadata["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}


def test_named_keys_are_copied_and_the_secret_goes_with_its_external_secret() -> None:
    found = spec()
    assert found["secretStoreRef"] == {"name": "vault-backend", "kind": "SecretStore"}
    assert found["data"] == [
        {"secretKey": "password", "remoteRef": {"key": "ml/mlflow", "property": "password"}}
    ]
    assert found["target"]["creationPolicy"] == "Owner"
    assert found["target"]["name"] == "mlflow-credentials"
    assert found["refreshInterval"] == "1h0m0s"
    assert "dataFrom" not in found


def test_whole_secrets_are_extracted_from_a_shared_store() -> None:
    found = spec(
        store=StoreRef(name="aws", kind=StoreKind.CLUSTER),
        data=(),
        data_from=(Extract(remote="ml/training/credentials"),),
    )
    assert found["secretStoreRef"]["kind"] == "ClusterSecretStore"
    assert found["dataFrom"] == [{"extract": {"key": "ml/training/credentials"}}]


def test_a_version_is_pinned_when_given() -> None:
    entry = Entry(key="k", remote="ml/mlflow", version="3")
    assert spec(data=(entry,))["data"][0]["remoteRef"] == {"key": "ml/mlflow", "version": "3"}


def test_generated_credentials_need_no_store() -> None:
    found = spec(store=None, data=(), data_from=(Generated(generator="ml-readonly"),))
    (source,) = found["dataFrom"]
    assert source["sourceRef"]["generatorRef"] == {
        "apiVersion": "generators.external-secrets.io/v1alpha1",
        "kind": "VaultDynamicSecret",
        "name": "ml-readonly",
    }
    assert "secretStoreRef" not in found


def test_a_template_makes_the_keys_out_of_what_was_fetched() -> None:
    template = spec(template={"url": "postgresql://{{ .username }}@postgres/mlflow"})["target"][
        "template"
    ]
    assert template["data"] == {"url": "postgresql://{{ .username }}@postgres/mlflow"}
    assert template["engineVersion"] == "v2"
    assert "data" not in spec()["target"]["template"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s"), (86400, "24h0m0s")]
)
def test_durations_are_written_as_the_api_server_keeps_them(seconds: int, text: str) -> None:
    assert go_duration(seconds) == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ()}, "mlflow-credentials takes nothing"),
        ({"data": (Entry(key="a", remote="x"), Entry(key="a", remote="y"))}, "'a' twice"),
        ({"refresh_seconds": 59}, "refresh_seconds: 59"),
        ({"refresh_seconds": 86401}, "refresh_seconds: 86401"),
        ({"store": None}, "store: mlflow-credentials names none"),
    ],
)
def test_wrong_arguments_name_the_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        arguments(**changes)


def test_a_generator_logs_in_as_the_grants_account() -> None:
    source = VaultSource(
        address="https://vault-active.vault.svc:8200",
        ca_pem="fake CA",
        role="ml-db",
        audience="vault",
    )

    def program() -> None:
        VaultGenerator(
            "generator",
            VaultGeneratorArgs(
                generator_name="ml-readonly",
                namespace="ml-training",
                source=source,
                account="ml-app-sa",
                path="database/creds/ml-readonly",
            ),
        )

    found = deploy(program).one(GENERATOR).inputs["spec"]
    assert (found["path"], found["method"]) == ("database/creds/ml-readonly", "GET")
    login = found["provider"]["auth"]["kubernetes"]
    assert login["role"] == "ml-db"
    assert login["serviceAccountRef"] == {"name": "ml-app-sa", "audiences": ["vault"]}


def test_a_generator_of_a_pattern_is_refused() -> None:
    source = VaultSource(address="https://v:8200", ca_pem="x", role="r", audience="vault")
    with pytest.raises(ValueError, match="path: 'database/creds/\\*'"):
        VaultGeneratorArgs(
            generator_name="any",
            namespace="ml-training",
            source=source,
            account="ml-app-sa",
            path="database/creds/*",
        )


def push(**changes: Any) -> Deployment:
    given: dict[str, Any] = {
        "secret_name": "model-key",
        "namespace": "ml-training",
        "store": STORE,
        "keys": {"token": "ml/model-key"},
    }
    return deploy(lambda: PushSecret("push", PushSecretArgs(**(given | changes))))


def test_a_push_keeps_what_the_store_has_unless_told_otherwise() -> None:
    found = push().one(PUSH).inputs["spec"]
    assert found["updatePolicy"] == "IfNotExists"
    assert found["deletionPolicy"] == "None"
    assert found["data"] == [
        {"match": {"secretKey": "token", "remoteRef": {"remoteKey": "ml/model-key"}}}
    ]
    replaced = push(update=UpdatePolicy.REPLACE).one(PUSH).inputs["spec"]
    assert replaced["updatePolicy"] == "Replace"


def test_a_push_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="keys: none given for model-key"):
        push(keys={})
