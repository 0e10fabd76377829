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
MAY_WRITE = {"id-token", "pull-requests", "security-events"}


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


def test_every_change_is_scanned_and_main_tells_code_scanning() -> None:
    scans = {
        path.stem: [step for step in steps(load(path)) if "strongroom scan" in step.get("run", "")]
        for path in WORKFLOWS
    }
    assert [len(scans[name]) for name in ("pr", "main", "release")] == [1, 1, 0]
    assert "--since" in scans["pr"][0]["run"]
    assert "--history --sarif scan.sarif" in scans["main"][0]["run"]
    main = load(REPOSITORY / ".github" / "workflows" / "main.yml")
    (upload,) = [step for step in steps(main) if "upload-sarif" in step.get("uses", "")]
    assert upload["with"]["sarif_file"] == "scan.sarif"
    assert "cancelled()" in upload["if"]  # a scan that found something has failed by then
    assert "secrets" in main["jobs"]["deploy-dev"]["needs"]


def test_a_fork_gets_no_secret() -> None:
    workflow = load(REPOSITORY / ".github" / "workflows" / "pr.yml")
    assert list(workflow[True]) == ["pull_request"]  # YAML reads the key `on` as true
    for job in workflow["jobs"].values():
        if "write" in job["permissions"].values():
            assert "head.repo.full_name == github.repository" in job["if"]
