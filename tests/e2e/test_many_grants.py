"""Very many grants: too many for a stack file, and a first deployment that saves its state once."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import hvac
import pytest

from benchmarks import grants_sides
from benchmarks.grants import some_grants
from benchmarks.grants_sides import Step
from local.progress import Clock
from local.services import dev_vault
from local.toolchain import bin_dir
from local.toolchain.build import build
from local.toolchain.catalogue import LANGUAGE_HOST
from tests.e2e.waiting import wait_until
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import changed

pytestmark = pytest.mark.e2e

GRANT = {
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/ml/mlflow"],
}


def test_a_configuration_too_large_for_the_system_is_told_with_its_largest_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{bin_dir(TOOLS)}{os.pathsep}{os.environ['PATH']}")
    engine = Engine(build(LANGUAGE_HOST, Clock()).path, tmp_path, "dev")
    grants = [GRANT | {"name": f"app-{number}"} for number in range(1500)]
    settings = changed("dev", {"grants": grants})
    engine.configure({f"strongroom:{key}": value for key, value in settings.items()})
    ended = engine.run("up", "--yes", "--skip-preview")
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "more than this system hands to a program; nothing was changed" in output
    assert "KiB of it are strongroom:grants" in output
    assert "the folder that strongroom:grantFiles names" in output
    assert engine.resources() == []


def test_grants_that_a_killed_deployment_forgot_are_there_after_the_next(tmp_path: Path) -> None:
    """Without checkpoints nothing of them is in the state: they are written over, not refused."""
    grants, more = some_grants(300), some_grants(10, first=300)
    with dev_vault.running(tmp_path) as vault:
        vault.sys.enable_auth_method("kubernetes")
        side = grants_sides.without_checkpoints(grants, more, vault, tmp_path / "project")
        engine = subprocess.Popen(
            [side.program, *side.commands[Step.CREATE]],
            cwd=side.folder,
            env=dict(side.environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until("20 roles in Vault", lambda: len(roles(vault)) > 20)
        finally:
            os.killpg(engine.pid, signal.SIGKILL)
            engine.wait()
        assert 20 < len(roles(vault)) < 300
        side.run("cancel", "--yes", "--stack", "grants")  # the killed engine's lock
        side.cost(Step.CREATE)
        assert roles(vault) == {grant.name for grant in grants}
        assert {grant.name for grant in grants} <= policies(vault)
        side.cost(Step.DESTROY)
        assert roles(vault) == set()
        assert policies(vault) == {"default", "root"}


def roles(vault: hvac.Client) -> set[str]:
    listed = vault.list("auth/kubernetes/role")
    return set(listed["data"]["keys"]) if listed else set()


def policies(vault: hvac.Client) -> set[str]:
    return set(vault.sys.list_acl_policies()["data"]["keys"])
