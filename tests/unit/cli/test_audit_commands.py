"""`strongroom audit`: answers as text and as data, and how wrong input ends."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from tests.unit.audit.entries import REAL, call, calls, write, zipped
from tests.unit.support.stacks import REPOSITORY

DENIED = "1 error occurred:\n\t* permission denied\n\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def data(*arguments: str | Path) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_report_for_programs_has_every_part() -> None:
    told = data("report", REAL)
    assert told["read"]["events"] == len(REAL.read_bytes().splitlines())
    assert set(told) == {
        *("read", "paths", "subjects", "leases", "denials", "root", "changes"),
        *("half_calls", "silences", "problems", "unused_grants"),
    }
    assert told["leases"][0]["path"] == "database/creds/ml-readonly"
    assert told["unused_grants"] is None
    assert told["silences"] == []  # one interval says nothing of what is usual


def test_the_report_for_people(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", [*calls(range(30)), b"{", *call(31, error=DENIED)])
    result = run("report", log, "--limit", "1")
    assert result.exit_code == 0
    for shown in ("Access by path", "secret/data/ml/mlflow", "ml/trainer", "permission denied"):
        assert shown in result.stdout
    assert "Use of root tokens: none" in result.stdout
    assert "the line is cut or damaged" in result.stdout
    assert "1 lines could not be read" in result.stderr
    assert "grants were not compared" in result.stderr


def test_unused_grants_of_a_stack(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", call(1, policy="ml-training"))
    config = REPOSITORY / "Pulumi.local.yaml"
    told = data("report", log, "--config-file", config)["unused_grants"]
    training = next(one for one in told if one["grant"] == "ml-training")
    assert training["unused"] == [{"path": "database/creds/ml-readonly", "capabilities": ["read"]}]
    assert 'path "secret/data/ml/mlflow"' in training["narrower"]
    shown = run("report", log, "--config-file", config).stdout
    assert "# ml-training: the policy for what was used" in shown
    assert "# ml-serving: nothing was used; the grant can go" in shown


def test_who_and_used() -> None:
    callers = data("who", "secret/ml/mlflow", REAL)["callers"]
    assert {one["subject"] for one in callers} == {"root", "approle/job", "userpass-ada", None}
    assert "approle/job" in run("who", "secret/ml/mlflow", REAL).stdout
    used = data("used", "approle/job", REAL)["calls"]
    assert "secret/data/ml/mlflow" in {one["path"] for one in used}
    assert "secret/data/other" in run("used", "approle/job", REAL).stdout
    assert data("used", "nobody/here", REAL)["calls"] == []


def test_a_kept_store_is_asked_again_without_its_logs(tmp_path: Path) -> None:
    store = tmp_path / "store"
    log = zipped(tmp_path / "audit.log.1.gz", calls(range(3)))
    assert data("report", log, "--store", store)["read"]["events"] == 6
    assert data("report", log, "--store", store)["read"]["events"] == 0
    log.unlink()
    assert data("report", "--store", store)["paths"][0]["calls"] == 3


def test_a_thrown_away_store_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data("report", REAL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "the log is not there"),
        (b"", "there is nothing to report"),
        (b"2026-01-05 [INFO] a fake server log\nmore\n", "this is no audit log"),
        (call(1)[0][:100], "there is nothing to report"),
        (b"\x1f\x8b\x08broken", "there is nothing to report"),
    ],
    ids=["missing", "empty", "foreign", "cut", "broken"],
)
@pytest.mark.parametrize("command", [("report",), ("who", "secret/x"), ("used", "ml/trainer")])
def test_wrong_input_ends_with_one_message(
    tmp_path: Path, command: tuple[str, ...], content: bytes | None, what: str
) -> None:
    log = tmp_path / "audit.log"
    if content is not None:
        log.write_bytes(content)
    result = run(*command, log)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"error: {what}" in result.stderr
    assert str(log) in result.stderr
    assert "what to do:" in result.stderr


def test_unreadable_input(tmp_path: Path) -> None:
    """A folder's entry that leads nowhere: a mode would not stop root."""
    log = tmp_path / "audit.log"
    log.symlink_to(tmp_path / "nowhere")
    result = run("report", log)
    assert result.exit_code == 1
    assert "error: the log is not there" in result.stderr


def test_neither_logs_nor_a_store() -> None:
    result = run("report")
    assert result.exit_code == 2
    assert "name what to read" in result.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    spent = call(
        3,
        path="sys/wrapping/unwrap",
        operation="update",
        error="wrapping token is not valid or does not exist",
    )
    log = write(tmp_path / "audit.log", [*call(1), b"{", *call(2, error=DENIED), spent[0]])

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audit.follow.time.sleep", interrupted)
    result = run("follow", log, "--from-start", *(["--json"] if as_json else []))
    assert result.exit_code == 0
    assert "line 3: the line is cut or damaged" in result.stderr
    if as_json:
        told = [json.loads(line) for line in result.stdout.splitlines()]
        assert [one["phase"] for one in told] == [*["request", "response"] * 2, "request"]
        assert told[0]["time"] == "2026-01-05T09:00:01+00:00"
    else:
        assert "ml/trainer  read  secret/data/ml/mlflow  from 10.0.0.7" in result.stdout
        assert "refused: permission denied" in result.stdout
        assert "refused: wrapping token is not valid" in result.stdout
        assert len(result.stdout.splitlines()) == 3


@pytest.mark.parametrize("command", ["report", "who", "used", "follow"])
def test_help_has_an_example_and_the_statuses(command: str) -> None:
    shown = run(command, "--help").stdout
    assert "Example: strongroom audit" in shown
    assert "Exit status: 0" in shown


@pytest.mark.parametrize(
    "fault",
    [
        OSError(28, "No space left on device"),
        duckdb.OutOfMemoryException("could not offload: no disk space left\nmore"),
    ],
)
def test_a_full_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("cli.auditing.read", fails)
    result = run("report", write(tmp_path / "audit.log", call(1)))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert str(fault).splitlines()[0] in result.stderr
    assert "see that both have room" in result.stderr


@pytest.mark.parametrize("said", ["Query interrupted", "another fault"])
def test_an_interrupted_query_is_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setattr("cli.auditing.read", fails)
    result = run("report", write(tmp_path / "audit.log", call(1)))
    if said == "another fault":
        assert isinstance(result.exception, RuntimeError)
    else:
        assert result.exit_code == 130
        assert isinstance(result.exception, SystemExit)


def test_a_path_with_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    path = "secret/[red]/[/x]/a:key:b"
    log = write(tmp_path / "audit.log", call(1, path=path))
    assert f"Who called {path} " in run("who", path, log).stdout
    assert f"Who called {path}x: none" in run("who", f"{path}x", log).stdout
    assert path in run("report", log).stdout


def test_a_folder_of_logs_that_may_not_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "audit.log", call(1))
    (tmp_path / "closed").mkdir()
    listed = os.scandir

    def refuse(path: str | Path | int) -> object:
        if isinstance(path, str | Path) and Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run("report", tmp_path)
    assert result.exit_code == 1
    assert "closed" in result.stderr
    assert "Permission denied" in result.stderr
