from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.node.errors import NodeError
from local.node.kind import KindCluster
from local.paths import Instance
from local.progress import Clock


class Recorder:
    """Answers like kind with the given clusters, and keeps every command."""

    def __init__(self, clusters: str = "", failing: str = "") -> None:
        self.clusters, self.failing = clusters, failing
        self.commands: list[str] = []

    def __call__(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(argv))
        if "--kubeconfig" in argv and "delete" not in argv:
            Path(argv[argv.index("--kubeconfig") + 1]).touch()
        failed = bool(self.failing) and argv[0] == self.failing
        out = self.clusters if list(argv[1:3]) == ["get", "clusters"] else ""
        return subprocess.CompletedProcess(argv, int(failed), out, "daemon not running")


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_up_creates_the_cluster_with_a_kubeconfig_of_its_own() -> None:
    run = Recorder()
    cluster = KindCluster(Instance("demo"), run)
    cluster.up(Clock())
    kubeconfig = f"--kubeconfig {cluster.kubeconfig}"
    assert f"kind create cluster --name strongroom-demo --wait 180s {kubeconfig}" in run.commands
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_up_leaves_an_existing_cluster_alone() -> None:
    run = Recorder(clusters="other\nstrongroom-demo\n")
    KindCluster(Instance("demo"), run).up(Clock())
    assert not [command for command in run.commands if "create" in command]


def test_down_deletes_only_its_own() -> None:
    run = Recorder(clusters="strongroom-demo2\nother\n")
    KindCluster(Instance("demo"), run).down(Clock())
    assert run.commands == ["kind get clusters"]
    run = Recorder(clusters="strongroom-demo\n")
    KindCluster(Instance("demo"), run).down(Clock())
    assert run.commands[-1].startswith("kind delete cluster --name strongroom-demo ")


def test_an_image_is_loaded_into_the_cluster() -> None:
    run = Recorder()
    KindCluster(Instance("demo"), run).import_image(Path("/fake/image.tar"))
    assert run.commands == ["kind load image-archive /fake/image.tar --name strongroom-demo"]


def test_a_docker_that_does_not_answer_is_named() -> None:
    with pytest.raises(NodeError, match=r"`docker info .*daemon not running"):
        KindCluster(Instance("demo"), Recorder(failing="docker")).up(Clock())


def test_a_missing_program_is_named() -> None:
    def absent(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        raise FileNotFoundError(argv[0])

    with pytest.raises(NodeError, match="kind is not installed"):
        KindCluster(Instance("demo"), absent).down(Clock())
