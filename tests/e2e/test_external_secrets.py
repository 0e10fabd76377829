"""External Secrets on the real cluster: from Vault and AWS into Secrets, and no further."""

from __future__ import annotations

import json
import secrets
from typing import Any

import boto3
import pytest
from kubernetes import client

from local.environment import Environment
from local.workload import SECRET, WRITER
from tests.e2e.objects import Objects

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OPERATOR = "external-secrets:external-secrets"
AWS_SECRET = "ml/training/credentials"
PUSHED = "ml/training/mlflow-password"
# Pulumi.local.yaml asks for a refresh each minute; the rest is what a busy machine may take.
REFRESHED_WITHIN = 60 + 15


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


@pytest.fixture
def aws(environment: Environment) -> Any:
    """AWS Secrets Manager of the stand-in, as its administrator sees it."""
    port = environment.node.status().forwards["aws"].host_port
    return boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def test_a_secret_of_vault_becomes_a_kubernetes_secret_and_a_new_value_arrives_in_time(
    environment: Environment, objects: Objects
) -> None:
    cluster = environment.cluster()
    cluster.ensure_example_secret()
    mount, path = SECRET
    versions = cluster.login(*WRITER).secrets.kv.v2
    read = versions.read_secret_version(path=path, mount_point=mount, raise_on_deleted_version=True)
    old = read["data"]["data"]
    objects.wait_for_secret("ml-training", "mlflow-credentials", {"password": old["password"]})

    new = f"fake-{secrets.token_urlsafe(12)}"
    versions.create_or_update_secret(path=path, mount_point=mount, secret={**old, "password": new})
    objects.wait_for_secret(
        "ml-training", "mlflow-credentials", {"password": new}, REFRESHED_WITHIN
    )


def test_a_secret_of_aws_is_read_by_web_identity_and_a_new_value_arrives_in_time(
    objects: Objects, aws: Any
) -> None:
    manifest = external_secret(
        "ml-training",
        "aws-credentials",
        secretStoreRef={"kind": "SecretStore", "name": "aws-secrets-manager"},
        dataFrom=[{"extract": {"key": AWS_SECRET}}],
    )
    old, new = (f"fake-{secrets.token_urlsafe(12)}" for _ in range(2))
    aws.create_secret(Name=AWS_SECRET, SecretString=json.dumps({"token": old}))
    try:
        objects.apply(manifest)
        objects.wait_for_condition(manifest, "Ready", "True")
        objects.wait_for_secret("ml-training", "aws-credentials", {"token": old})
        aws.put_secret_value(SecretId=AWS_SECRET, SecretString=json.dumps({"token": new}))
        objects.wait_for_secret("ml-training", "aws-credentials", {"token": new}, REFRESHED_WITHIN)
    finally:
        objects.delete(manifest)
        aws.delete_secret(SecretId=AWS_SECRET, ForceDeleteWithoutRecovery=True)


def test_vault_makes_database_credentials_for_a_secret(
    environment: Environment, objects: Objects
) -> None:
    made = objects.secret("ml-training", "mlflow-database")
    assert set(made) == {"username", "password"}
    assert "ml-readonly" in made["username"]


def test_a_secret_is_pushed_into_a_store(
    environment: Environment, objects: Objects, aws: Any
) -> None:
    environment.cluster().ensure_example_secret()
    push = {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": {"name": "mlflow-credentials", "namespace": "ml-training"},
    }
    objects.wait_for_condition(push, "Ready", "True")
    assert aws.get_secret_value(SecretId=PUSHED)["SecretBinary"].startswith(b"fake-")


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


def test_a_shared_store_serves_the_namespaces_it_names_only(objects: Objects) -> None:
    def copied(namespace: str) -> dict[str, Any]:
        return external_secret(
            namespace,
            "shared",
            secretStoreRef={"kind": "ClusterSecretStore", "name": "vault-shared"},
            data=[{"secretKey": "a", "remoteRef": {"key": "ml/mlflow", "property": "password"}}],
        )

    named, other = copied("ml-serving"), copied("ml-training")
    try:
        objects.apply(named)
        objects.apply(other)
        objects.wait_for_condition(named, "Ready", "True")
        objects.wait_for_condition(other, "Ready", "False")
        assert set(objects.secret("ml-serving", "shared")) == {"a"}
        assert objects.secret("ml-training", "shared") == {}
    finally:
        objects.delete(named)
        objects.delete(other)


def test_the_operator_logs_in_as_the_accounts_of_its_stores_and_as_nobody_else(
    objects: Objects,
) -> None:
    def may_log_in(namespace: str, account: str) -> bool:
        return objects.may(OPERATOR, "create", "serviceaccounts/token", namespace, account)

    assert may_log_in("ml-training", "ml-app-sa")
    assert may_log_in("ml-training", "external-secrets-aws")
    assert may_log_in("ml-serving", "ml-serving-sa")
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


def test_stores_and_external_secrets_are_served_in_v1_only(objects: Objects) -> None:
    definitions = client.ApiextensionsV1Api(objects.api)
    for plural in ("secretstores", "clustersecretstores", "externalsecrets"):
        name = f"{plural}.external-secrets.io"
        versions = definitions.read_custom_resource_definition(name).spec.versions
        assert [version.name for version in versions if version.served] == ["v1"], name
