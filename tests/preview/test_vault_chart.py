"""The one-machine Vault chart with prod's values, as the real engine renders it; no cluster."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.toolchain import bin_dir
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY
from tests.unit.vault.samples import CHART, FAKE_CA

pytestmark = pytest.mark.e2e

PROGRAM = """\
import sys
from dataclasses import replace

sys.path.insert(0, {repository!r})

import pulumi
import pulumi_kubernetes as k8s

from components.vault.cluster import ChartOrigin, ChartSource, VaultCluster, VaultClusterArgs
from components.vault.tls import CertManager
from components.vault.values import Telemetry
from settings.environments import Environment
from tests.unit.vault.samples import environment_values

VaultCluster(
    "vault",
    VaultClusterArgs(
        namespace="secrets",
        namespace_name="secrets",
        values=replace(
            environment_values(Environment.PROD), telemetry=Telemetry(service_monitor=True)
        ),
        chart=ChartSource(origin=ChartOrigin.PATH, location={chart!r}),
        tls=CertManager(issuer="platform-ca", ca_pem={authority!r}),
    ),
    pulumi.ResourceOptions(
        providers=[k8s.Provider("k8s", render_yaml_to_directory={rendered!r})]
    ),
)
"""
INJECTOR = {
    "app.kubernetes.io/name": "vault-agent-injector",
    "app.kubernetes.io/instance": "vault",
    "component": "webhook",
}
SERVICE_MONITORS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "names": {"kind": "ServiceMonitor", "plural": "servicemonitors"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
}

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Every object as it would reach the API server."""
    folder = tmp_path_factory.mktemp("chart")
    rendered = folder / "rendered"
    engine = Engine(bin_dir(TOOLS), folder, "chart", project=folder)
    chart = folder / "vault"
    shutil.copytree(CHART, chart)
    _know_what_a_cluster_knows(chart)
    engine.configure({"pulumi:disable-default-providers": ["kubernetes"]})
    (folder / "__main__.py").write_text(
        PROGRAM.format(
            repository=str(REPOSITORY),
            rendered=str(rendered),
            chart=str(chart),
            authority=FAKE_CA,
        )
    )
    ended = engine.run("up", "--yes", "--skip-preview")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [yaml.safe_load(path.read_text()) for path in sorted(rendered.rglob("*.yaml"))]


def _know_what_a_cluster_knows(chart: Path) -> None:
    """Without a cluster to ask, the engine takes it for an old one that knows no monitors."""
    described = yaml.safe_load((chart / "Chart.yaml").read_text())
    del described["kubeVersion"]
    (chart / "Chart.yaml").write_text(yaml.safe_dump(described))
    (chart / "crds").mkdir()
    (chart / "crds/servicemonitors.yaml").write_text(yaml.safe_dump(SERVICE_MONITORS))


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [m for m in manifests if (m["kind"], m["metadata"]["name"]) == (kind, name)]
    return found


def test_both_injectors_serve_the_certificate_that_they_are_given(
    manifests: list[Manifest],
) -> None:
    deployment = one(manifests, "Deployment", "vault-agent-injector")
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]
    assert pod["metadata"]["labels"] == INJECTOR
    (container,) = pod["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["spec"]["volumes"]
    assert mount["readOnly"] is True
    assert mount["name"] == volume["name"]
    certificate = one(manifests, "Certificate", "vault-agent-injector-tls")
    assert volume["secret"]["secretName"] == certificate["spec"]["secretName"]
    variables = {v["name"]: v.get("value") for v in container["env"]}
    assert variables["AGENT_INJECT_TLS_CERT_FILE"] == f"{mount['mountPath']}/tls.crt"
    assert variables["AGENT_INJECT_TLS_KEY_FILE"] == f"{mount['mountPath']}/tls.key"
    assert not [name for name in variables if "AUTO" in name or "LEADER" in name]


def test_the_api_server_trusts_the_webhook_by_the_given_ca(manifests: list[Manifest]) -> None:
    (webhook,) = one(manifests, "MutatingWebhookConfiguration", "vault-agent-injector-cfg")[
        "webhooks"
    ]
    client = webhook["clientConfig"]
    assert base64.b64decode(client["caBundle"]).decode() == FAKE_CA
    service = one(manifests, "Service", client["service"]["name"])
    assert service["spec"]["selector"] == INJECTOR
    names = one(manifests, "Certificate", "vault-agent-injector-tls")["spec"]["dnsNames"]
    assert f"{client['service']['name']}.{client['service']['namespace']}.svc" in names
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["namespaceSelector"] == {
        "matchLabels": {"strongroom.dev/vault-agent": "enabled"}
    }


def test_injectors_watch_webhooks_and_may_do_nothing_else(manifests: list[Manifest]) -> None:
    bound = {
        (m["roleRef"]["kind"], m["roleRef"]["name"])
        for m in manifests
        if m["kind"] in ("RoleBinding", "ClusterRoleBinding")
        for subject in m["subjects"]
        if subject["name"] == "vault-agent-injector"
    }
    ((kind, name),) = bound
    (rule,) = one(manifests, kind, name)["rules"]
    assert rule == {
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["mutatingwebhookconfigurations"],
        "verbs": ["list", "watch"],
    }


def test_a_drain_leaves_one_injector_and_machines_are_shared_only_in_need(
    manifests: list[Manifest],
) -> None:
    budget = one(manifests, "PodDisruptionBudget", "vault-agent-injector")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": INJECTOR}}
    pod = one(manifests, "Deployment", "vault-agent-injector")["spec"]["template"]["spec"]
    (preferred,) = pod["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert preferred["podAffinityTerm"]["labelSelector"]["matchLabels"] == INJECTOR


def test_prometheus_finds_the_active_server_and_verifies_it(manifests: list[Manifest]) -> None:
    monitor = one(manifests, "ServiceMonitor", "vault")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    found = [
        m["metadata"]["name"]
        for m in manifests
        if m["kind"] == "Service" and wanted <= m["metadata"]["labels"].items()
    ]
    assert found == ["vault-active"]
    (endpoint,) = monitor["spec"]["endpoints"]
    ports = {port["name"] for port in one(manifests, "Service", "vault-active")["spec"]["ports"]}
    assert endpoint["port"] in ports
    assert endpoint["tlsConfig"] == {
        "ca": {"configMap": {"name": "vault-ca", "key": "ca.crt"}},
        "serverName": "vault-active",
    }
    assert endpoint["authorization"] == {
        "credentials": {"name": "vault-metrics-token", "key": "token"}
    }
