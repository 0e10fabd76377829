"""The committed dev and prod stacks, previewed by the real engine on a bare cluster, policies on.

Their charts come from folders, because the official ones are fetched from a network that tests do
without; nothing is deployed, and no cloud is asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.node import Node
from local.node.components import REQUIRED_TOOLS
from local.paths import Instance
from local.progress import Clock
from local.toolchain import bin_dir, ensure
from local.toolchain.charts import charts
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY, changed, stack_settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    """Of a Kubernetes node with nothing on it."""
    node = Node(Instance(f"test-{secrets.token_hex(3)}"), ensure(list(REQUIRED_TOOLS)))
    try:
        node.up(Clock())
        yield node.kubeconfig
    finally:
        node.down(Clock())


def with_context(kubeconfig: Path, name: str, folder: Path) -> Path:
    """The same cluster by another context's name; the current context leads nowhere."""
    content = yaml.safe_load(kubeconfig.read_text())
    content["contexts"][0]["name"] = name
    content["clusters"].append({"name": "elsewhere", "cluster": {"server": "https://127.0.0.1:1"}})
    context = {"cluster": "elsewhere", "user": content["users"][0]["name"]}
    content["contexts"].append({"name": "elsewhere", "context": context})
    content["current-context"] = "elsewhere"
    renamed = folder / "kubeconfig"
    renamed.touch(mode=0o600)
    renamed.write_text(yaml.safe_dump(content))
    return renamed


def path_of(chart: str) -> dict[str, str]:
    """The official chart out of its Go module."""
    return {"source": "path", "location": str(charts(chart))}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_committed_stack_previews_whole_and_passes_the_policies(
    kubeconfig: Path, stack: str, tmp_path: Path
) -> None:
    context = stack_settings(stack)["kubernetes"]["context"]
    settings: dict[str, Any] = changed(
        stack,
        {
            "kubernetes.kubeconfig": str(with_context(kubeconfig, context, tmp_path)),
            "vault.chart": {"source": "path", "location": "local/charts/vault"},
            # The bare cluster has no Prometheus Operator, whose objects the engine would look up.
            "vault.telemetry": {"serviceMonitor": False},
            "sealedSecrets.serviceMonitor": False,
            "sealedSecrets.chart": path_of("sealed-secrets"),
            "externalSecrets.chart": path_of("external-secrets"),
        },
    )
    engine = Engine(bin_dir(TOOLS), tmp_path, stack)
    engine.configure({f"strongroom:{key}": value for key, value in settings.items()})
    ended = engine.run("preview", "--policy-pack", str(REPOSITORY / "policies"))
    output = ended.stdout + ended.stderr
    assert ended.returncode == 0, output
    for expected in (
        "kubernetes:core/v1:Namespace",
        "aws:kms:Key",
        "strongroom:vault:Cluster",
        "kubernetes:helm.sh/v4:Chart",
        "strongroom:VaultBootstrap",
        "vault:index:Mount",
    ):
        assert expected in output, output
    assert "[mandatory]" not in output
    assert engine.resources() == []
