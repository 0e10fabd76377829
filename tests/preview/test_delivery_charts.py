"""The official charts as the real engine renders them with our values, without any cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from local.toolchain import bin_dir
from local.toolchain.charts import charts
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

PROGRAM = """\
import sys

sys.path.insert(0, {repository!r})

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.external_secrets import ExternalSecretsArgs, ExternalSecretsOperator
from components.kubernetes.external_secrets_values import OperatorValues
from components.kubernetes.sealed_secrets import SealedSecretsArgs, SealedSecretsController
from components.vault.cluster import ChartOrigin, ChartSource
from components.vault.pod_values import Image

opts = pulumi.ResourceOptions(
    providers=[k8s.Provider("k8s", render_yaml_to_directory={rendered!r})]
)
SealedSecretsController(
    "sealed-secrets",
    SealedSecretsArgs(
        namespace="sealed-secrets",
        namespace_name="sealed-secrets",
        image=Image(repository="registry.example.com/sealed-secrets-controller", tag="0.36.6"),
        chart=ChartSource(origin=ChartOrigin.PATH, location={sealed!r}),
        opened_in=("ml-training", "ml-serving"),
        sealers=("platform",),
    ),
    opts,
)
ExternalSecretsOperator(
    "external-secrets",
    ExternalSecretsArgs(
        namespace="external-secrets",
        values=OperatorValues(
            image=Image(repository="registry.example.com/external-secrets", tag="0.20.4"),
            replicas=2,
            aws_endpoint="http://10.77.0.2:5000",
        ),
        chart=ChartSource(origin=ChartOrigin.PATH, location={external!r}),
    ),
    opts,
)
"""
SECRET_WRITES = {"create", "update", "delete", "patch"}

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Every object of both charts, as it would reach the API server."""
    folder = tmp_path_factory.mktemp("charts")
    rendered = folder / "rendered"
    engine = Engine(bin_dir(TOOLS), folder, "charts", project=folder)
    engine.configure({"pulumi:disable-default-providers": ["kubernetes"]})
    (folder / "__main__.py").write_text(
        PROGRAM.format(
            repository=str(REPOSITORY),
            rendered=str(rendered),
            sealed=str(charts("sealed-secrets")),
            external=str(charts("external-secrets")),
        )
    )
    ended = engine.run("up", "--yes", "--skip-preview")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [yaml.safe_load(path.read_text()) for path in sorted(rendered.rglob("*.yaml"))]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    found = [manifest for manifest in manifests if manifest["kind"] in kinds]
    assert found, kinds
    return found


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [m for m in of_kind(manifests, kind) if m["metadata"]["name"] == name]
    return found


def rules_on(manifest: Manifest, resource: str) -> list[Manifest]:
    return [rule for rule in manifest["rules"] if resource in rule["resources"]]


def test_every_pod_is_restricted_pinned_and_bounded(manifests: list[Manifest]) -> None:
    deployments = of_kind(manifests, "Deployment")
    assert {d["metadata"]["name"] for d in deployments} == {
        "external-secrets",
        "external-secrets-cert-controller",
        "external-secrets-webhook",
        "sealed-secrets",
    }
    for deployment in deployments:
        pod = deployment["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is True, "said, not left to the default"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]) == {"requests", "limits"}
            repository, _, tag = container["image"].rpartition(":")
            assert repository.startswith("registry.example.com/")
            assert tag in ("0.36.6", "0.20.4")


def test_nobody_makes_tokens_of_every_account(manifests: list[Manifest]) -> None:
    for role in of_kind(manifests, "ClusterRole"):
        assert rules_on(role, "serviceaccounts/token") == [], role["metadata"]["name"]


def test_only_the_operator_reaches_secrets_of_every_namespace(manifests: list[Manifest]) -> None:
    reaching = [r for r in of_kind(manifests, "ClusterRole") if rules_on(r, "secrets")]
    assert [r["metadata"]["name"] for r in reaching] == ["external-secrets-controller"]


def test_the_certificate_controller_writes_one_secret_and_no_crd(
    manifests: list[Manifest],
) -> None:
    role = one(manifests, "Role", "external-secrets-cert-controller-certificate")
    (rule,) = role["rules"]
    assert rule["resourceNames"] == ["external-secrets-webhook"]
    everywhere = one(manifests, "ClusterRole", "external-secrets-cert-controller")
    (crds,) = rules_on(everywhere, "customresourcedefinitions")
    assert set(crds["verbs"]) == {"get", "list", "watch"}


def test_the_sealed_secrets_controller_writes_secrets_only_where_named(
    manifests: list[Manifest],
) -> None:
    writing = {
        role["metadata"]["namespace"]
        for role in of_kind(manifests, "Role")
        for rule in rules_on(role, "secrets")
        if role["metadata"]["name"] == "secrets-unsealer" and SECRET_WRITES & set(rule["verbs"])
    }
    assert writing == {"ml-serving", "ml-training", "sealed-secrets"}
    proxier = one(manifests, "RoleBinding", "sealed-secrets-service-proxier")
    assert [subject["name"] for subject in proxier["subjects"]] == ["platform"]


def test_unused_kinds_have_neither_crd_nor_reconciler(manifests: list[Manifest]) -> None:
    kinds = {c["spec"]["names"]["kind"] for c in of_kind(manifests, "CustomResourceDefinition")}
    assert {"SealedSecret", "SecretStore", "ExternalSecret", "VaultDynamicSecret"} <= kinds
    assert not {k for k in kinds if k.startswith("Cluster") or k == "PushSecret"}
    operator = one(manifests, "Deployment", "external-secrets")
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    assert {
        "--enable-leader-election=true",
        "--enable-cluster-store-reconciler=false",
        "--enable-cluster-external-secret-reconciler=false",
        "--enable-cluster-push-secret-reconciler=false",
        "--enable-push-secret-reconciler=false",
    } <= set(container["args"])


def test_two_replicas_keep_one_through_a_drain(manifests: list[Manifest]) -> None:
    budgets = of_kind(manifests, "PodDisruptionBudget")
    assert {b["metadata"]["name"] for b in budgets} == {
        "external-secrets-pdb",
        "external-secrets-webhook-pdb",
    }


def test_sealing_keys_are_renewed_every_thirty_days(manifests: list[Manifest]) -> None:
    controller = one(manifests, "Deployment", "sealed-secrets")
    (container,) = controller["spec"]["template"]["spec"]["containers"]
    arguments = container["args"]
    assert arguments[arguments.index("--key-renew-period") + 1] == "720h"
    namespaces = arguments[arguments.index("--additional-namespaces") + 1].split(",")
    assert namespaces == ["ml-serving", "ml-training", "sealed-secrets"]
