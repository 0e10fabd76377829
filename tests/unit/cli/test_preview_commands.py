"""`strongroom preview` and `strongroom env` from the outside, with a fake engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from cli.preview import POLICY_PACK
from tests.unit.review.samples import LOGS, STORED
from tests.unit.support.stacks import REPOSITORY

FAKE_PULUMI = """\
#!/bin/sh
echo "$PULUMI_ENABLE_STREAMING_JSON_PREVIEW $*" >> calls
case "$1" in
  preview) cat preview.jsonl; cat preview.stderr >&2; exit 1 ;;
  stack) cat state.json; cat state.stderr >&2 ;;
esac
"""
MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
STATE = {
    "deployment": {
        "resources": [{"inputs": {"token": {**MARK, "plaintext": json.dumps(STORED)}}}],
    }
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a fake engine that previews a widened grant."""
    for file in REPOSITORY.glob("Pulumi.*.yaml"):
        shutil.copy(file, tmp_path)
    (tmp_path / "pulumi").write_text(FAKE_PULUMI)
    (tmp_path / "pulumi").chmod(0o755)
    record(tmp_path, "widened")
    (tmp_path / "state.json").write_text(json.dumps(STATE))
    for name in ("preview.stderr", "state.stderr"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def record(folder: Path, name: str) -> None:
    shutil.copy(LOGS / f"{name}.jsonl", folder / "preview.jsonl")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def assert_one_error(result: Result, *texts: str) -> None:
    assert result.exit_code == 1
    assert result.stderr.count("error: ") == 1
    assert result.stdout == ""
    for text in (*texts, "what to do: "):
        assert text in result.stderr


def test_a_preview_that_passes_is_a_comment_and_ends_with_0(folder: Path) -> None:
    result = call("preview", "--stack", "dev")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("<!-- strongroom-preview: dev -->\n")
    assert "gains read on secret/ml/x through grant ml-app" in result.stdout
    assert STORED not in result.output
    preview, export = (folder / "calls").read_text().splitlines()
    assert preview.startswith(f"true preview --json --stack dev --policy-pack {POLICY_PACK} ")
    assert export.startswith("true stack export --show-secrets --stack dev ")


@pytest.mark.parametrize("name", ["secrets", "broken"])
def test_a_preview_that_is_refused_or_fails_is_told_and_ends_with_1(
    folder: Path, name: str
) -> None:
    record(folder, name)
    result = call("preview", "--stack", "dev", "--output", "comment.md")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "wrote comment.md\n"
    assert "### Preview of `dev`" in (folder / "comment.md").read_text()


def test_the_preview_is_data_for_programs() -> None:
    data: Any = json.loads(call("preview", "--stack", "dev", "--format", "json").stdout)
    assert data["passed"] is True
    assert [change["kind"] for change in data["changes"][:2]] == ["replace", "delete"]
    assert data["access"][0]["effect"] == "gains"


def test_an_engine_that_cannot_start_is_one_error(folder: Path) -> None:
    (folder / "preview.jsonl").write_text("")
    (folder / "preview.stderr").write_text("error: no stack named 'dev', token=planted found")
    result = call("preview", "--stack", "dev")
    assert_one_error(result, "the engine did not preview (it ended with 1)", "no stack named")
    assert "planted" not in result.stderr


def test_without_the_states_secrets_nothing_is_told(folder: Path) -> None:
    (folder / "state.json").write_text("")
    (folder / "state.stderr").write_text("error: incorrect passphrase")
    result = call("preview", "--stack", "dev")
    assert_one_error(result, "secrets could not be kept out of the preview", "incorrect passphrase")


def test_a_missing_engine_is_one_error(folder: Path) -> None:
    (folder / "pulumi").unlink()
    assert_one_error(call("preview", "--stack", "dev"), "pulumi is not on PATH")


def test_a_preview_that_cannot_be_written_is_one_error() -> None:
    result = call("preview", "--stack", "dev", "--output", "nowhere/comment.md")
    assert_one_error(result, "the preview cannot be written", "nowhere/comment.md")


def test_environments_are_compared_in_both_directions() -> None:
    result = call("env", "diff", "dev", "prod")
    assert result.exit_code == 0, result.output
    ahead, _, behind = result.stdout.partition("Weaker in prod than in dev:\n")
    assert ahead.startswith("Weaker in dev than in prod:\n  protect: no, there yes\n")
    assert "network.databases" in behind
    assert "protect" not in behind


def test_an_environment_has_no_weaker_guard_than_itself() -> None:
    assert call("env", "diff", "dev", "dev").stdout == (
        "No guard is weaker in dev than in dev.\n" * 2
    )


def test_the_comparison_is_data_for_programs() -> None:
    data: Any = json.loads(call("env", "diff", "dev", "prod", "--json").stdout)
    spread = next(w for w in data["weaker"]["dev"] if w["guard"] == "vault.spread")
    assert (spread["here"], spread["there"]) == ("preferred", "required")


def test_an_unknown_environment_is_one_error() -> None:
    assert_one_error(call("env", "diff", "dev", "nowhere"), "there is no stack 'nowhere'")
