"""The GitHub workflows: valid by actionlint, actions pinned by digest, no right too many."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize(("name", "job"), [("pr", "preview"), ("release", "deploy")])
def test_a_job_that_needs_the_cluster_makes_the_context_of_the_stacks_settings(
    name: str, job: str
) -> None:
    workflow = load(REPOSITORY / ".github" / "workflows" / f"{name}.yml")
    made = workflow["jobs"][job]["steps"]
    commands = [step.get("run", "") or step["uses"] for step in made]
    (reach,) = [n for n, text in enumerate(commands) if "eks update-kubeconfig" in text]
    assert commands[reach].endswith('--alias "strongroom-$STACK"')
    assert "aws-actions/" in commands[reach - 1]
    assert any("pulumi/actions@" in text for text in commands[reach + 1 :])
    for stack in ("dev", "prod"):
        settings = load(REPOSITORY / f"Pulumi.{stack}.yaml")["config"]
        assert settings["strongroom:kubernetes"]["context"] == f"strongroom-{stack}"


def test_a_tag_on_a_commit_that_is_not_of_main_is_no_release(tmp_path: Path) -> None:
    workflow = load(REPOSITORY / ".github" / "workflows" / "release.yml")
    made = workflow["jobs"]["deploy"]["steps"]
    (check,) = [step for step in made if "merge-base" in step.get("run", "")]
    assert check["if"] == "github.ref_type == 'tag'"
    assert made[0]["with"]["fetch-depth"] == 0  # without main's history nothing is its ancestor
    work = tmp_path / "work"

    def git(*arguments: str, at: Path = work) -> str:
        author = ["-c", "user.name=fake", "-c", "user.email=fake@example.com"]
        done = subprocess.run(
            ["git", *author, *arguments], cwd=at, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git", at=tmp_path)
    git("clone", "--quiet", "origin.git", "work", at=tmp_path)
    commits = {}
    for branch in ("main", "side"):
        git("switch", "--quiet", "--create", branch)
        git("commit", "--quiet", "--allow-empty", "--message", branch)
        commits[branch] = git("rev-parse", "HEAD")
    git("push", "--quiet", "origin", "main")
    status = {
        branch: subprocess.run(
            ["bash", "-e", "-c", check["run"]],
            cwd=work,
            env={"PATH": os.environ["PATH"], "GITHUB_SHA": commit},
            check=False,
        ).returncode
        for branch, commit in commits.items()
    }
    assert status == {"main": 0, "side": 1}


def test_the_readme_names_what_the_github_environments_carry() -> None:
    texts = "".join(path.read_text() for path in WORKFLOWS)
    used = set(re.findall(r"vars\.([A-Z_]+)", texts))
    assert len(used) == 5
    readme = (REPOSITORY / "README.md").read_text()
    assert {name for name in used if f"`{name}`" not in readme} == set()
    assert set(re.findall(r"`(preview-\w+)`", readme)) == {"preview-dev", "preview-prod"}
