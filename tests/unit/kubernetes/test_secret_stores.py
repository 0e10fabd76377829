"""Stores: how each provider logs in, and that the operator may log in as nobody else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pulumi_random import RandomId

from components.kubernetes.external_secrets import OperatorIdentity
from components.kubernetes.secret_store import (
    ClusterSecretStore,
    ClusterSecretStoreArgs,
    SecretStore,
    SecretStoreArgs,
)
from components.kubernetes.store_providers import (
    AwsSecretsManager,
    GoogleSecretManager,
    StoreProvider,
    VaultSource,
)
from tests.unit.support.monitor import UNKNOWN, Deployment, deploy

ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"
CLUSTER_STORE = "kubernetes:external-secrets.io/v1:ClusterSecretStore"
OPERATOR = OperatorIdentity(name="external-secrets", namespace="external-secrets")
IAM_ROLE = "arn:aws:iam::123456789012:role/ml-secrets"
GOOGLE = "ml-secrets@example-project.iam.gserviceaccount.com"
CA = "fake CA certificate"


def vault_source(**changes: Any) -> VaultSource:
    given: dict[str, Any] = {
        "address": "https://vault-active.vault.svc:8200",
        "ca_pem": CA,
        "role": "ml-app",
        "audience": "vault",
    }
    return VaultSource(**(given | changes))


def arguments(**changes: Any) -> SecretStoreArgs:
    given: dict[str, Any] = {
        "store_name": "backend",
        "namespace": "ml-training",
        "provider": vault_source(),
        "account": "ml-app-sa",
        "operator": OPERATOR,
    }
    return SecretStoreArgs(**(given | changes))


def run(provider: StoreProvider, *, preview: bool = False, **changes: Any) -> Deployment:
    return deploy(
        lambda: SecretStore("store", arguments(provider=provider, **changes)), preview=preview
    )


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_vault_is_reached_by_one_account_one_role_one_audience(preview: bool) -> None:
    deployed = run(vault_source(), preview=preview)
    assert deployed.tree() == [
        "strongroom:kubernetes:SecretStore store",
        f"  {STORE} store-store",
        f"  {ROLE} store-login-role",
        f"  {BINDING} store-login-binding",
    ]
    provider = deployed.one(STORE).inputs["spec"]["provider"]["vault"]
    assert (provider["path"], provider["version"]) == ("secret", "v2")
    assert base64.b64decode(provider["caBundle"]).decode() == CA
    assert provider["auth"] == {
        "kubernetes": {
            "mountPath": "kubernetes",
            "role": "ml-app",
            "serviceAccountRef": {"name": "ml-app-sa", "audiences": ["vault"]},
        }
    }


@pytest.mark.parametrize(
    "provider",
    [
        vault_source(),
        AwsSecretsManager(region="eu-central-1", role=IAM_ROLE),
        GoogleSecretManager(project="example-project", service_account=GOOGLE),
    ],
    ids=["vault", "aws", "gcp"],
)
def test_the_operator_may_log_in_as_that_account_only(provider: StoreProvider) -> None:
    deployed = run(provider, account="ml-reader")
    (rule,) = deployed.one(ROLE).inputs["rules"]
    assert rule["resources"] == ["serviceaccounts/token"]
    assert rule["resourceNames"] == ["ml-reader"]
    assert rule["verbs"] == ["create"]
    assert deployed.one(ROLE).inputs["metadata"]["namespace"] == "ml-training"
    (subject,) = deployed.one(BINDING).inputs["subjects"]
    assert (subject["namespace"], subject["name"]) == ("external-secrets", "external-secrets")
    assert deployed.one(BINDING).urn in deployed.one(STORE).depends_on


@pytest.mark.parametrize(
    ("provider", "annotation", "identity"),
    [
        (
            AwsSecretsManager(region="eu-central-1", role=IAM_ROLE),
            "eks.amazonaws.com/role-arn",
            IAM_ROLE,
        ),
        (
            GoogleSecretManager(project="example-project", service_account=GOOGLE),
            "iam.gke.io/gcp-service-account",
            GOOGLE,
        ),
    ],
    ids=["aws", "gcp"],
)
def test_a_cloud_store_has_an_account_that_is_the_cloud_identity(
    provider: StoreProvider, annotation: str, identity: str
) -> None:
    deployed = run(provider)
    account = deployed.one(ACCOUNT).inputs
    assert account["metadata"]["annotations"] == {annotation: identity}
    assert account["automountServiceAccountToken"] is False
    assert deployed.one(ACCOUNT).urn in deployed.one(STORE).depends_on
    text = str(deployed.one(STORE).inputs["spec"])
    assert "SecretRef" not in text
    assert "secretRef" not in text


def test_a_google_cluster_is_named_where_its_metadata_does_not_tell() -> None:
    provider = GoogleSecretManager(
        project="example-project",
        service_account=GOOGLE,
        cluster="ml",
        cluster_location="europe-west3",
    )
    auth = run(provider).one(STORE).inputs["spec"]["provider"]["gcpsm"]["auth"]
    assert auth["workloadIdentity"]["clusterName"] == "ml"
    assert auth["workloadIdentity"]["clusterLocation"] == "europe-west3"


def test_a_shared_store_names_its_namespaces_and_its_accounts_namespace() -> None:
    def program() -> None:
        ClusterSecretStore(
            "shared",
            ClusterSecretStoreArgs(
                store_name="backend",
                namespace="external-secrets",
                provider=vault_source(),
                account="reader",
                operator=OPERATOR,
                shared_with=("ml-training", "ml-serving"),
            ),
        )

    deployed = deploy(program)
    store = deployed.one(CLUSTER_STORE).inputs
    assert store["spec"]["conditions"] == [{"namespaces": ["ml-training", "ml-serving"]}]
    account = store["spec"]["provider"]["vault"]["auth"]["kubernetes"]["serviceAccountRef"]
    assert account == {"name": "reader", "namespace": "external-secrets", "audiences": ["vault"]}
    assert "namespace" not in store["metadata"]
    assert deployed.one(ROLE).inputs["metadata"]["namespace"] == "external-secrets"


@pytest.mark.parametrize(("wait", "expected"), [(True, "condition=Ready"), (False, None)])
def test_the_deployment_waits_until_the_store_has_logged_in(
    wait: bool, expected: str | None
) -> None:
    metadata = run(vault_source(), wait=wait).one(STORE).inputs["metadata"]
    assert metadata.get("annotations", {}).get("pulumi.com/waitFor") == expected


def test_a_role_and_a_ca_that_are_not_made_yet_are_unknown_in_a_preview() -> None:
    def program() -> None:
        made = RandomId("made", byte_length=4)
        SecretStore("store", arguments(provider=vault_source(role=made.hex, ca_pem=made.hex)))

    provider = deploy(program, preview=True).one(STORE).inputs["spec"]["provider"]["vault"]
    assert provider["caBundle"] == UNKNOWN
    assert provider["auth"]["kubernetes"]["role"] == UNKNOWN


def shared(*namespaces: str) -> ClusterSecretStoreArgs:
    return ClusterSecretStoreArgs(
        store_name="backend",
        namespace="external-secrets",
        provider=vault_source(),
        account="reader",
        operator=OPERATOR,
        shared_with=namespaces,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vault_source(address="http://vault:8200"), "address: .* https"),
        (lambda: vault_source(audience=""), "audience: ''"),
        (lambda: vault_source(mount="/secret"), "mount: '/secret'"),
        (lambda: AwsSecretsManager(region="eu-central-1", role="AKIAFAKE"), "role: 'AKIAFAKE'"),
        (lambda: GoogleSecretManager(project="p", service_account="key.json"), "service_account"),
        (lambda: shared(), "shared_with: .* everybody"),
        (lambda: shared("ml-training", "*"), "shared_with: '\\*'"),
        (lambda: run(vault_source(), account="*"), "account: '\\*'"),
    ],
)
def test_wrong_arguments_name_the_input(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
