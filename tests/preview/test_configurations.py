"""The real engine on right and wrong configurations, with no cluster and no cloud in reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.toolchain import bin_dir
from tests.preview.engine import TOOLS, Engine
from tests.unit.support.stacks import REPOSITORY, changed

pytestmark = pytest.mark.e2e

STACK_ONLY = ["pulumi:pulumi:Stack"]

EngineFor = Callable[[str, dict[str, Any]], Engine]


@pytest.fixture(scope="module")
def tools() -> Path:
    return bin_dir(TOOLS)


@pytest.fixture
def engine_for(tools: Path, tmp_path: Path) -> EngineFor:
    def make(stack: str, config: dict[str, Any]) -> Engine:
        engine = Engine(tools, tmp_path, stack)
        engine.configure(config)
        return engine

    return make


def full_keys(settings: dict[str, Any]) -> dict[str, Any]:
    return {f"strongroom:{key}": value for key, value in settings.items()}


WRONG = (
    ({"vault.replicas": 2}, "Pulumi.dev.yaml: strongroom:vault.replicas is 2."),
    ({"vualt": {"replicas": 3}}, "Write instead: `vault`, the nearest valid name."),
    ({"vault.tls": False}, "TLS has no off"),
    ({"aws.accountId": 123456789012}, "strongroom:aws.accountId is 123456789012; text is expected"),
    ({"environment": ...}, "Pulumi.dev.yaml: strongroom:environment is missing."),
)


@pytest.mark.parametrize("command", [("preview",), ("up", "--yes", "--skip-preview")])
@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_setting_ends_in_one_message_before_any_resource(
    engine_for: EngineFor, command: tuple[str, ...], changes: dict[str, Any], message: str
) -> None:
    engine = engine_for("dev", full_keys(changed("dev", changes)))
    ended = engine.run(*command)
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert message in output
    assert "has 1 mistake; nothing was changed" in output
    assert "Traceback" not in output
    assert "unhandled" not in output
    assert "kubernetes:" not in output
    assert set(engine.resources()) <= set(STACK_ONLY)


def test_the_engine_itself_refuses_a_setting_of_the_wrong_kind(engine_for: EngineFor) -> None:
    engine = engine_for("dev", full_keys(changed("dev", {"vault": "yes please"})))
    ended = engine.run("up", "--yes", "--skip-preview")
    assert ended.returncode != 0
    assert "'strongroom:vault' must be of type 'object'" in ended.stderr
    assert engine.resources() == []


def test_an_encrypted_setting_is_refused_and_not_shown(engine_for: EngineFor) -> None:
    engine = engine_for("dev", full_keys(changed("dev", {})))
    engine._run(
        *("config", "set", "--secret", "--path", "strongroom:vault.namespace", "fake-secret"),
        *("--config-file", str(engine.config_file), "--stack", "dev"),
        cwd=REPOSITORY,
    )
    ended = engine.run("preview")
    output = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "strongroom:vault holds an encrypted value" in output
    assert "fake-secret" not in output
