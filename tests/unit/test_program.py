"""The whole program under mocks: every stack's tree of resources, and what a mistake does."""

from __future__ import annotations

import gc
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from tests.unit.support.monitor import Deployment, deploy
from tests.unit.support.stacks import (
    REPOSITORY,
    STACKS,
    changed,
    engine_config,
    instance_settings,
    stack_settings,
)
from vaultops import deployer

PROVIDER = "pulumi:providers:"
DYNAMIC = "pulumi-python:dynamic/"
AWS = "arn:aws"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
OUTPUTS: dict[str, dict[str, Any]] = {
    f"{DYNAMIC}vault:ServerCertificate": {
        "bundle_pem": "fake CA",
        "server_pem": "fake certificate",
        "server_key": "fake key",
        "authority_key": "fake key",
        "successor_key": "fake key",
    },
    f"{DYNAMIC}strongroom:VaultBootstrap": {
        "address": "https://vault.example.com:8200",
        "cluster_id": "fake-cluster",
        "completed_state": "deployer-credential",
        "audit_devices": ["stdout", "file"],
    },
    "kubernetes:helm.sh/v4:Chart": {"resources": []},
    "aws:kms/alias:Alias": {"targetKeyArn": f"{AWS}:kms:eu-central-1:123456789012:key/fake"},
    "aws:secretsmanager/secret:Secret": {
        "arn": f"{AWS}:secretsmanager:eu-central-1:123456789012:secret:ml/fake-AbCdEf"
    },
    "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned": {
        "importedIssuers": ["fake-issuer"]
    },
}


@pytest.fixture(autouse=True)
def no_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a cluster: whether there is a Vault to log in to is no matter of the tree."""
    monkeypatch.setattr(deployer, "refresh", lambda _: deployer.Refreshed.NO_VAULT)


def settings_of(stack: str) -> dict[str, Any]:
    return instance_settings() if stack == "local" else stack_settings(stack)


def run(stack: str, *, preview: bool = False, settings: dict[str, Any] | None = None) -> Deployment:
    return deploy(
        lambda: runpy.run_path(str(REPOSITORY / "__main__.py")) and None,
        preview=preview,
        stack=stack,
        config=engine_config(settings or settings_of(stack)),
        outputs=OUTPUTS,
    )


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_uses_an_explicit_provider(stack: str, preview: bool) -> None:
    deployed = run(stack, preview=preview)
    custom = [
        r for r in deployed.resources if r.custom and not r.type.startswith((PROVIDER, DYNAMIC))
    ]
    assert custom
    assert {r.provider for r in custom} <= {"k8s", "vault", "aws", "gcp"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_without_a_cluster_names_the_same_resources(stack: str) -> None:
    assert run(stack, preview=True).tree() == run(stack).tree()


def test_production_protects_its_namespaces_and_local_does_not() -> None:
    kind = "kubernetes:core/v1:Namespace"
    assert all(r.protect for r in run("prod").of_type(kind))
    assert not any(r.protect for r in run("local").of_type(kind))


def test_an_account_with_a_cloud_identity_says_so() -> None:
    """Otherwise the cloud would not know its pods, and they would get nothing."""
    (account,) = (
        r.inputs["metadata"]
        for r in run("prod").of_type("kubernetes:core/v1:ServiceAccount")
        if r.inputs["metadata"]["name"] == "ml-training-sa"
    )
    role = "arn:aws:iam::123456789012:role/strongroom-prod-ml-data"
    assert account["annotations"] == {"eks.amazonaws.com/role-arn": role}


def test_the_top_of_the_tree_is_pinned() -> None:
    """A change here is a rename: it needs an alias, or the objects are made anew."""
    top = [line for line in run("local").tree() if not line.startswith(" ")]
    assert top == [
        "kubernetes:core/v1:Secret vault-kms-stand-in",
        "pulumi:providers:aws aws",
        "pulumi:providers:kubernetes k8s",
        "pulumi:providers:vault vault",
        "strongroom:aws:KmsKey vault-unseal-key",
        "strongroom:aws:RotatingSecret login-tracking",
        "strongroom:kubernetes:ClusterSecretStore store-vault-shared",
        "strongroom:kubernetes:ExternalSecret external-ml-training-mlflow-credentials",
        "strongroom:kubernetes:ExternalSecret external-ml-training-mlflow-database",
        "strongroom:kubernetes:ExternalSecrets external-secrets",
        "strongroom:kubernetes:Namespaces namespaces",
        "strongroom:kubernetes:NetworkAccess network",
        "strongroom:kubernetes:PushSecret push-ml-training-mlflow-credentials",
        "strongroom:kubernetes:SealedSecrets sealed-secrets",
        "strongroom:kubernetes:SecretStore store-aws-push",
        "strongroom:kubernetes:SecretStore store-aws-secrets-manager",
        "strongroom:kubernetes:SecretStore store-vault-backend",
        "strongroom:kubernetes:VaultGenerator generator-ml-training-mlflow-database",
        "strongroom:kubernetes:WorkloadAccess ml-serving-ml-app-sa",
        "strongroom:kubernetes:WorkloadAccess ml-serving-ml-secrets-sync",
        "strongroom:kubernetes:WorkloadAccess ml-serving-ml-serving-sa",
        "strongroom:kubernetes:WorkloadAccess ml-training-ml-app-sa",
        "strongroom:kubernetes:WorkloadAccess ml-training-ml-notebook-sa",
        "strongroom:kubernetes:WorkloadAccess ml-training-ml-training-sa",
        "strongroom:kubernetes:WorkloadAccess ml-training-mlflow-admin",
        "strongroom:vault:AwsEngine aws-engine",
        "strongroom:vault:Bootstrap vault-bootstrap",
        "strongroom:vault:Cluster vault",
        "strongroom:vault:DatabaseEngine database",
        "strongroom:vault:Grant grant-ml-app",
        "strongroom:vault:Grant grant-ml-notebook",
        "strongroom:vault:Grant grant-ml-secrets-sync",
        "strongroom:vault:Grant grant-ml-serving",
        "strongroom:vault:Grant grant-ml-training",
        "strongroom:vault:Grant grant-mlflow-writer",
        "strongroom:vault:KubernetesAuth kubernetes-auth",
        "strongroom:vault:KvEngine kv",
        "strongroom:vault:PkiEngine pki",
        "strongroom:vault:Rotation rotation",
        "strongroom:vault:Snapshots vault-snapshots",
        "strongroom:vault:TransitEngine transit",
        "strongroom:vault:Trust postgresql-trust",
        "strongroom:vault:Trust vault-trust",
    ]


def test_the_databases_ca_is_where_a_grant_gives_logins_and_nowhere_else() -> None:
    settings = settings_of("local")
    settings["externalSecrets"]["enabled"] = False  # it needs the logins that go
    for grant in settings["grants"]:
        if "ml-serving" in grant["namespaces"]:
            grant.pop("database", None)
    maps = run("local", settings=settings).of_type("kubernetes:core/v1:ConfigMap")
    found = [m.inputs for m in maps if m.inputs["metadata"]["name"] == "postgresql-ca"]
    assert [m["metadata"]["namespace"] for m in found] == ["ml-training"]
    assert found[0]["data"] == {"ca.crt": "fake certificate of a test"}


def test_grants_in_files_become_what_those_of_the_stack_file_become(tmp_path: Path) -> None:
    settings = settings_of("local")
    for grant in settings.pop("grants"):
        (tmp_path / f"{grant['name']}.yaml").write_text(yaml.safe_dump([grant]))
    filed = run("local", settings=settings | {"grantFiles": str(tmp_path)})
    assert filed.tree() == run("local").tree()


def test_dead_objects_are_searched_for_rarely() -> None:
    default = gc.get_threshold()
    gc.set_threshold(700)
    try:
        run("dev")
        assert gc.get_threshold()[0] == 100_000
    finally:
        gc.set_threshold(*default)


def test_wrong_settings_end_in_one_message_and_register_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registered: list[str] = []

    def program() -> None:
        pulumi.runtime.register_stack_transformation(lambda args: registered.append(args.name))
        runpy.run_path(str(REPOSITORY / "__main__.py"))

    wrong = changed("dev", {"vault.replicas": 2, "vualt": 1})
    with pytest.raises(SystemExit) as ended:
        deploy(program, stack="dev", config=engine_config(wrong))
    assert ended.value.code == 32
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "Pulumi.dev.yaml has 2 mistakes; nothing was changed" in record.message
    assert "strongroom:vault.replicas is 2" in record.message
    assert registered == []


def test_the_program_stays_a_thin_list() -> None:
    assert len((REPOSITORY / "__main__.py").read_text().splitlines()) < 120


GOOGLE = {
    "cloud": "gcp",
    "aws": ...,
    "gcp": {"project": "example-project", "region": "europe-west3"},
    "vault.seal": {
        "type": "gcpckms",
        "keyRing": "strongroom",
        "key": "vault-unseal",
        "createKey": True,
        "serviceAccount": "vault@example-project.iam.gserviceaccount.com",
    },
    "vault.custodian": {"type": "gcp-secret-manager", "name": "strongroom-vault-init"},
    "identities": {
        "google": {
            "clusterProject": "example-project",
            "accounts": [
                {"name": "ml-tracking", "namespace": "ml-training", "account": "ml-training-sa"}
            ],
        }
    },
    "cloudSecrets": ...,
    "sops": ...,
}


def test_on_google_everybody_with_an_identity_there_reaches_the_metadata_server() -> None:
    policies = run("dev", settings=changed("dev", GOOGLE)).of_type(NETWORK_POLICY)
    opened = [p.inputs["metadata"] for p in policies if p.name.endswith("-to-metadata")]
    assert {m["namespace"] for m in opened} == {"vault", "external-secrets", "ml-training"}
    assert not [p for p in run("dev").of_type(NETWORK_POLICY) if "metadata" in p.name]


def test_prometheus_reaches_what_it_is_told_to_read() -> None:
    policies = run("prod").of_type(NETWORK_POLICY)
    opened = {
        p.inputs["metadata"]["namespace"]: p.inputs["spec"]["ingress"][0]["ports"][0]["port"]
        for p in policies
        if p.name.endswith("-metrics")
    }
    assert opened == {"vault": 8200}  # the operators are switched off there


def test_the_rotation_job_reaches_what_it_rotates() -> None:
    settings = settings_of("local")
    settings["rotation"]["job"]["endpoints"] = [{"cidrs": ["192.0.2.0/24"], "port": 443}]
    deployed = run("local", settings=settings)
    spec = deployed.one(NETWORK_POLICY, "network-rotation").inputs["spec"]
    ports = [rule["ports"][0]["port"] for rule in spec["egress"]]
    assert ports == [5432, 443]
    pod = deployed.one("kubernetes:batch/v1:CronJob", "rotation-run").inputs["spec"]
    labels = pod["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    ("clients", "scheme"), [(["10.0.0.0/16"], "internal"), (["10.0.0.0/16", "1.1.1.0/24"], None)]
)
def test_a_load_balancer_is_on_the_internet_only_for_clients_from_there(
    clients: list[str], scheme: str | None
) -> None:
    settings = changed(
        "dev", {"vault.ui": {"serviceType": "LoadBalancer"}, "network.clients": clients}
    )
    chart = run("dev", settings=settings).one("kubernetes:helm.sh/v4:Chart", "vault-chart")
    ui = chart.inputs["values"]["ui"]
    assert ui["loadBalancerSourceRanges"] == clients
    found = ui["annotations"].get("service.beta.kubernetes.io/aws-load-balancer-scheme")
    assert found == scheme
