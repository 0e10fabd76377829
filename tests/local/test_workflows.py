"""The GitHub workflows: valid by actionlint, actions pinned by digest, no right too many."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.paths import REPOSITORY
from local.toolchain import ensure

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
MAY_WRITE = {"id-token", "pull-requests"}


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text())
    return loaded


def steps(workflow: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job.get("steps", [])


@pytest.mark.e2e
def test_actionlint_finds_nothing() -> None:
    assert len(WORKFLOWS) == 3
    linter = ensure(["actionlint"])["actionlint"]
    done = subprocess.run([linter, *WORKFLOWS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_rights_are_named(path: Path) -> None:
    workflow = load(path)
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert [name for name in used if not PINNED.fullmatch(name)] == []
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        rights = job["permissions"]
        assert {right for right, level in rights.items() if level == "write"} <= MAY_WRITE
        assert "timeout-minutes" in job or "uses" in job
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/ch")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_fork_gets_no_secret() -> None:
    workflow = load(REPOSITORY / ".github" / "workflows" / "pr.yml")
    assert list(workflow[True]) == ["pull_request"]  # YAML reads the key `on` as true
    for job in workflow["jobs"].values():
        if "write" in job["permissions"].values():
            assert "head.repo.full_name == github.repository" in job["if"]
