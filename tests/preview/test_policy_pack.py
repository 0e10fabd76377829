"""The policy pack under the real engine: a violating program is refused before it exists."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.toolchain import bin_dir
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

PROGRAM = """\
import pulumi_kubernetes as k8s

labels = {labels}
k8s.core.v1.Namespace("fake-team", metadata={{"name": "fake-team", "labels": labels}})
"""
OPEN: dict[str, str] = {}
CLOSED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="module")
def tools() -> Path:
    return bin_dir(TOOLS)


def run(tools: Path, folder: Path, labels: dict[str, str], *command: str) -> tuple[Engine, str]:
    engine = Engine(tools, folder, "dev", project=folder)
    engine.configure({"strongroom:environment": "dev"})
    (folder / "__main__.py").write_text(PROGRAM.format(labels=labels))
    pack = ("--policy-pack", str(REPOSITORY / "policies"))
    ended: subprocess.CompletedProcess[str] = engine.run(*command, *pack)
    return engine, f"{ended.returncode}\n{ended.stdout}{ended.stderr}"


@pytest.mark.parametrize("command", [("preview",), ("up", "--yes", "--skip-preview")])
def test_a_namespace_without_pod_security_is_refused_by_name(
    tools: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    engine, output = run(tools, tmp_path, OPEN, *command)
    assert not output.startswith("0\n")
    assert "namespace-pod-security" in output
    assert "fake-team: metadata.labels has no pod-security.kubernetes.io/enforce" in output
    assert "Fix: set metadata.labels" in output
    assert "kubernetes:core/v1:Namespace" not in engine.resources()


def test_a_closed_namespace_passes(tools: Path, tmp_path: Path) -> None:
    _, output = run(tools, tmp_path, CLOSED, "preview")
    assert output.startswith("0\n"), output
    assert "1 to create" in output or "to create" in output
