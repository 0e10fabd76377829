"""The policy pack under the real engine: a violating program is refused before it exists."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.toolchain import bin_dir
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

NAMESPACE = """\
import pulumi_kubernetes as k8s

labels = {labels}
k8s.core.v1.Namespace("fake-team", metadata={{"name": "fake-team", "labels": labels}})
"""
WIDE_ROLE = """\
import pulumi_kubernetes as k8s

k8s.rbac.v1.Role(
    "fake-reader",
    metadata={"name": "fake-reader", "namespace": "default"},
    rules=[{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
)
"""
ENVIRONMENTS = ("local", "dev", "prod")
OPEN: dict[str, str] = {}
CLOSED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="module")
def tools() -> Path:
    return bin_dir(TOOLS)


def run(
    tools: Path, folder: Path, program: str, *command: str, environment: str = "dev"
) -> tuple[Engine, str]:
    engine = Engine(tools, folder, environment, project=folder)
    engine.configure({"strongroom:environment": environment})
    (folder / "__main__.py").write_text(program)
    pack = ("--policy-pack", str(REPOSITORY / "policies"))
    ended: subprocess.CompletedProcess[str] = engine.run(*command, *pack)
    return engine, f"{ended.returncode}\n{ended.stdout}{ended.stderr}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("command", [("preview",), ("up", "--yes", "--skip-preview")])
def test_a_namespace_without_pod_security_is_refused_by_name(
    tools: Path, tmp_path: Path, command: tuple[str, ...], environment: str
) -> None:
    program = NAMESPACE.format(labels=OPEN)
    engine, output = run(tools, tmp_path, program, *command, environment=environment)
    assert not output.startswith("0\n")
    assert "namespace-pod-security" in output
    assert "fake-team: metadata.labels has no pod-security.kubernetes.io/enforce" in output
    assert "Fix: set metadata.labels" in output
    assert "kubernetes:core/v1:Namespace" not in engine.resources()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_rule_stops_a_deployment_as_its_environment_asks(
    tools: Path, tmp_path: Path, environment: str
) -> None:
    _, output = run(tools, tmp_path, WIDE_ROLE, "preview", environment=environment)
    assert output.startswith("0\n") is (environment != "prod"), output
    level = "mandatory" if environment == "prod" else "advisory"
    assert f"[{level}] [severity: high]  secret-reads-are-named" in output


def test_a_closed_namespace_passes(tools: Path, tmp_path: Path) -> None:
    _, output = run(tools, tmp_path, NAMESPACE.format(labels=CLOSED), "preview")
    assert output.startswith("0\n"), output
    assert "to create" in output
