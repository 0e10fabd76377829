"""External Secrets on the real cluster: from Vault and AWS into Secrets, and no further."""

from __future__ import annotations

import secrets
from typing import Any

import boto3
import pytest
from kubernetes import client

from local.environment import Environment
from local.workload import SECRET, WRITER
from tests.e2e.objects import Objects

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

OPERATOR = "external-secrets:external-secrets"
AWS_SECRET = "ml/training/credentials"


@pytest.fixture
def objects(environment: Environment) -> Objects:
    return Objects(environment.cluster().api())


def external_secret(namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"refreshInterval": "1m", **spec},
    }


def test_a_secret_of_vault_becomes_a_kubernetes_secret_and_follows_it(
    environment: Environment, objects: Objects
) -> None:
    cluster = environment.cluster()
    cluster.ensure_example_secret()
    mount, path = SECRET
    versions = cluster.login(*WRITER).secrets.kv.v2
    for value in (f"fake-{secrets.token_urlsafe(12)}" for _ in range(2)):
        versions.patch(path=path, mount_point=mount, secret={"password": value})
        objects.wait_for_secret("ml-training", "mlflow-credentials", {"password": value})


def test_a_secret_of_aws_is_read_by_web_identity(
    environment: Environment, objects: Objects
) -> None:
    port = environment.node.status().forwards["aws"].host_port
    store = boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    value = f"fake-{secrets.token_urlsafe(12)}"
    store.create_secret(Name=AWS_SECRET, SecretString=f'{{"token": "{value}"}}')
    manifest = external_secret(
        "ml-training",
        "aws-credentials",
        secretStoreRef={"kind": "SecretStore", "name": "aws-secrets-manager"},
        dataFrom=[{"extract": {"key": AWS_SECRET}}],
    )
    try:
        objects.apply(manifest)
        objects.wait_for_condition(manifest, "Ready", "True")
        objects.wait_for_secret("ml-training", "aws-credentials", {"token": value})
    finally:
        objects.delete(manifest)
        store.delete_secret(SecretId=AWS_SECRET, ForceDeleteWithoutRecovery=True)


def test_a_grant_bounds_what_a_store_reads(objects: Objects) -> None:
    manifest = external_secret(
        "ml-training",
        "not-granted",
        secretStoreRef={"kind": "SecretStore", "name": "vault-backend"},
        data=[{"secretKey": "a", "remoteRef": {"key": "ml/canary", "property": "a"}}],
    )
    try:
        objects.apply(manifest)
        objects.wait_for_condition(manifest, "Ready", "False")
        assert objects.secret("ml-training", "not-granted") == {}
    finally:
        objects.delete(manifest)


def test_a_store_serves_its_own_namespace_only(objects: Objects) -> None:
    manifest = external_secret(
        "ml-serving",
        "elsewhere",
        secretStoreRef={"kind": "SecretStore", "name": "vault-backend"},
        data=[{"secretKey": "a", "remoteRef": {"key": "ml/mlflow", "property": "password"}}],
    )
    try:
        objects.apply(manifest)
        objects.wait_for_condition(manifest, "Ready", "False")
        assert objects.secret("ml-serving", "elsewhere") == {}
    finally:
        objects.delete(manifest)


def test_the_operator_logs_in_as_the_accounts_of_its_stores_and_as_nobody_else(
    objects: Objects,
) -> None:
    def may_log_in(namespace: str, account: str) -> bool:
        return objects.may(OPERATOR, "create", "serviceaccounts/token", namespace, account)

    assert may_log_in("ml-training", "ml-app-sa")
    assert may_log_in("ml-training", "external-secrets-aws")
    for namespace, account in (
        ("ml-training", "mlflow-admin"),
        ("ml-serving", "ml-app-sa"),
        ("vault", "vault"),
        ("kube-system", "default"),
    ):
        assert not may_log_in(namespace, account), f"{namespace}/{account}"


def test_the_certificate_controller_reads_no_secret_but_its_own(objects: Objects) -> None:
    controller = "external-secrets:external-secrets-cert-controller"
    own = "external-secrets-webhook"
    assert objects.may(controller, "update", "secrets", "external-secrets", own)
    assert not objects.may(controller, "get", "secrets", "ml-training")
    assert not objects.may(controller, "list", "secrets", "external-secrets")


def test_only_v1_is_served(objects: Objects) -> None:
    groups = client.ApisApi(objects.api).get_api_versions().groups
    (served,) = [group for group in groups if group.name == "external-secrets.io"]
    assert [version.version for version in served.versions] == ["v1"]
