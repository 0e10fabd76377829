"""From settings to components: what a stack's secret delivery consists of, and in which order."""

from __future__ import annotations

import pulumi
import pytest
import yaml

from components.kubernetes.namespaces import NamespaceArgs, Namespaces, NamespacesArgs
from components.sops.flux import EncryptedFilesArgs
from settings.cloud import Aws, Gcp
from settings.external_secrets import ExternalSecrets
from settings.sealed_secrets import SealedSecrets
from settings.sops import Sops
from tests.unit.delivery.test_delivery_settings import EXTERNAL, GRANT, NAMESPACES, SEALED
from tests.unit.support.monitor import Deployment, deploy
from wiring import delivery, external_secrets

CHART = "kubernetes:helm.sh/v4:Chart"
STORE = "kubernetes:external-secrets.io/v1:SecretStore"
EXTERNAL_SECRET = "kubernetes:external-secrets.io/v1:ExternalSecret"
FLUX = "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization"
GCP_STORE = """
replicas: 1
image: { repository: example/external-secrets, tag: v0.20.4 }
stores:
  - type: gcp
    name: google
    namespace: ml-training
    serviceAccount: ml@example-project.iam.gserviceaccount.com
"""


def namespaces() -> Namespaces:
    entries = tuple(NamespaceArgs(name=name, purpose="a test") for name in NAMESPACES)
    return Namespaces("namespaces", NamespacesArgs(namespaces=entries))


def run(text: str = EXTERNAL, *, preview: bool = False) -> Deployment:
    def program() -> None:
        external_secrets.deploy(
            external_secrets.External(
                configured=ExternalSecrets.model_validate(yaml.safe_load(text)),
                vault=external_secrets.VaultAccess(
                    address="https://vault-active.vault.svc:8200",
                    ca_pem="fake CA",
                    auth_path="kubernetes",
                    grants={"ml-app": GRANT},
                    roles={"ml-app": "ml-app"},
                ),
                aws=Aws.model_validate({"region": "eu-central-1"}),
                gcp=Gcp.model_validate({"project": "example-project", "region": "europe-west3"}),
                namespaces=namespaces(),
                opts=pulumi.ResourceOptions(),
            )
        )

    return deploy(program, preview=preview, outputs={CHART: {"resources": []}})


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_top_of_the_tree_is_pinned(preview: bool) -> None:
    top = [line for line in run(preview=preview).tree() if not line.startswith(" ")]
    assert top == [
        "strongroom:kubernetes:ClusterSecretStore store-aws",
        "strongroom:kubernetes:ExternalSecret external-ml-training-aws",
        "strongroom:kubernetes:ExternalSecret external-ml-training-login",
        "strongroom:kubernetes:ExternalSecret external-ml-training-mlflow",
        "strongroom:kubernetes:ExternalSecrets external-secrets",
        "strongroom:kubernetes:Namespaces namespaces",
        "strongroom:kubernetes:PushSecret push-ml-serving-key",
        "strongroom:kubernetes:SecretStore store-vault",
        "strongroom:kubernetes:VaultGenerator generator-ml-training-login",
    ]


def test_operator_then_store_then_secret() -> None:
    deployed = run()
    chart, store = deployed.one(CHART), deployed.one(STORE)
    secret = deployed.one(EXTERNAL_SECRET, "external-ml-training-mlflow-external")
    namespace_urns = {r.urn for r in deployed.of_type("kubernetes:core/v1:Namespace")}
    assert namespace_urns <= chart.depends_on
    assert chart.urn in store.depends_on
    assert store.urn in secret.depends_on


def test_a_generated_secret_waits_for_its_generator() -> None:
    deployed = run()
    generator = deployed.one(
        "kubernetes:generators.external-secrets.io/v1alpha1:VaultDynamicSecret"
    )
    secret = deployed.one(EXTERNAL_SECRET, "external-ml-training-login-external")
    assert generator.urn in secret.depends_on
    assert generator.inputs["spec"]["path"] == "database/creds/ml-readonly"


def test_vaults_paths_lose_the_mount_that_the_store_has() -> None:
    deployed = run()
    secret = deployed.one(EXTERNAL_SECRET, "external-ml-training-mlflow-external")
    (entry,) = secret.inputs["spec"]["data"]
    assert entry["remoteRef"] == {"key": "ml/mlflow", "property": "password"}
    assert deployed.one(STORE).inputs["spec"]["provider"]["vault"]["path"] == "secret"


def test_reconcilers_are_on_for_what_the_settings_use() -> None:
    values = run().one(CHART).inputs["values"]
    assert (values["processClusterStore"], values["processPushSecret"]) == (True, True)
    values = run(GCP_STORE).one(CHART).inputs["values"]
    assert (values["processClusterStore"], values["processPushSecret"]) == (False, False)


def test_google_is_read_by_workload_identity() -> None:
    provider = run(GCP_STORE).one(STORE).inputs["spec"]["provider"]
    assert provider["gcpsm"]["projectID"] == "example-project"


def test_the_stand_in_reaches_the_operator() -> None:
    text = EXTERNAL + "awsEndpoint: http://10.77.0.2:5000\n"
    variables = run(text).one(CHART).inputs["values"]["extraEnv"]
    assert {v["name"] for v in variables} == {"AWS_SECRETSMANAGER_ENDPOINT", "AWS_STS_ENDPOINT"}


def test_switched_off_nothing_is_made() -> None:
    off = EXTERNAL + "\nenabled: false\n"
    assert run(off).of_type(CHART) == []

    def program() -> None:
        sealed = SealedSecrets.model_validate(yaml.safe_load(SEALED) | {"enabled": False})
        delivery.sealed(sealed, namespaces(), pulumi.ResourceOptions())
        delivery.encrypted_files(None, pulumi.ResourceOptions())

    assert deploy(program).of_type(CHART) == []


def test_sealed_secrets_wait_for_the_namespaces_they_are_opened_in() -> None:
    def program() -> None:
        sealed = SealedSecrets.model_validate(yaml.safe_load(SEALED))
        delivery.sealed(sealed, namespaces(), pulumi.ResourceOptions())

    deployed = deploy(program, outputs={CHART: {"resources": []}})
    chart = deployed.one(CHART)
    assert {r.urn for r in deployed.of_type("kubernetes:core/v1:Namespace")} <= chart.depends_on
    assert chart.inputs["values"]["keyrenewperiod"] == "720h"


@pytest.mark.parametrize(
    ("flux", "decryption"),
    [
        ("{ source: gitops }", {"provider": "sops"}),
        (
            "{ source: gitops, ageSecret: sops-age, serviceAccount: applier }",
            {"provider": "sops", "secretRef": {"name": "sops-age"}},
        ),
    ],
    ids=["cloud identity", "age key"],
)
def test_flux_decrypts_a_stacks_folder(flux: str, decryption: dict[str, object]) -> None:
    text = {"folder": "secrets/production", "age": ["age1" + "q" * 58]}
    sops = Sops.model_validate(text | {"flux": yaml.safe_load(flux)})
    deployed = deploy(lambda: delivery.encrypted_files(sops, pulumi.ResourceOptions()))
    assert deployed.tree() == [
        "strongroom:sops:EncryptedFiles encrypted-files",
        f"  {FLUX} encrypted-files-kustomization",
    ]
    spec = deployed.one(FLUX).inputs["spec"]
    assert spec["decryption"] == decryption
    assert (spec["path"], spec["prune"]) == ("./secrets/production", True)
    assert spec.get("serviceAccountName") == ("applier" if "applier" in flux else None)


@pytest.mark.parametrize(
    ("folder", "interval", "message"),
    [
        ("/secrets", 600, "folder: '/secrets'"),
        ("secrets/../keys", 600, "folder: 'secrets/../keys'"),
        ("secrets", 59, "interval_seconds: 59"),
    ],
)
def test_wrong_arguments_of_flux_name_the_input(folder: str, interval: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncryptedFilesArgs(
            kustomization="k",
            namespace="flux-system",
            source="gitops",
            folder=folder,
            interval_seconds=interval,
        )
