"""The command and its reports, with our own rules alone: statuses, baseline, SARIF, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from benchmarks.scanner_values import SECRETS
from cli.reporting import ReportingGroup
from cli.scan import scan
from scanning.model import Scanner
from tests.unit.scanning.repository import Repository
from tests.unit.scanning.sarif_schema import SCHEMA

TOKEN = SECRETS["vault root token"](Random(4))
OTHER = SECRETS["vault batch token"](Random(4))
ALONE = [f"--without={other}" for other in Scanner if other is not Scanner.STRONGROOM]
REASON = "a value made for this test"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository that the command runs in."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    return Repository(root)


@pytest.fixture
def command() -> Callable[..., Result]:
    app = typer.Typer(cls=ReportingGroup)
    app.callback()(lambda: None)
    app.command()(scan)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(app, ["scan", *ALONE, *arguments])
        assert TOKEN not in result.output
        assert OTHER not in result.output
        return result

    return run


Command = Callable[..., Result]


def accept(repository: Repository, proposed: str, reason: str = REASON) -> None:
    """What a reviewer does with the proposal."""
    data = yaml.safe_load(proposed)
    for entry in data["accepted"]:
        entry["reason"] = reason
    repository.write(**{"secret-scan__yaml": yaml.safe_dump(data)})


def sarif(file: Path) -> dict[str, Any]:
    log = json.loads(file.read_text())
    jsonschema.validate(log, SCHEMA)
    run: dict[str, Any] = log["runs"][0]
    return run


def test_nothing_found_is_status_0(repository: Repository, command: Command) -> None:
    repository.write(a__txt="nothing here")
    result = command()
    assert result.exit_code == 0
    assert "0 secrets in 1 files" in result.output


def test_a_finding_is_status_1_with_its_place_and_without_its_value(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=f"\nvault login {TOKEN}\n")
    result = command()
    assert result.exit_code == 1
    assert "a.txt:2: strongroom/vault-root-token: hvs.… (28 characters), hash" in result.output
    assert "docs/runbooks/secret-found.md" in result.output


def test_a_name_with_a_line_end_stays_on_one_line(repository: Repository, command: Command) -> None:
    (repository.root / "a\nb\x1b[2Jc.txt").write_text(f"vault login {TOKEN}\n")
    result = command()
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("a\\x0ab\\x1b[2Jc.txt:1: strongroom/vault-root-token")
    (found,) = json.loads(command("--json").stdout)["findings"]
    assert found["path"] == "a\nb\x1b[2Jc.txt"


def test_an_accepted_finding_is_status_0_until_its_value_changes(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN)
    proposed = command("--propose")
    assert proposed.exit_code == 1
    accept(repository, proposed.stdout)
    assert command().exit_code == 0
    repository.write(a__txt=f"moved\n\n\ndown {TOKEN}")
    assert command().exit_code == 0
    repository.write(b__txt=TOKEN)
    assert "b.txt:1" in command().output
    repository.write(a__txt=OTHER, b__txt="")
    assert command().exit_code == 1


def test_an_entry_that_nobody_reviewed_is_status_2(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN)
    accept(repository, command("--propose").stdout, reason="")
    result = command()
    assert result.exit_code == 2
    assert "accepted.0.reason" in result.output


def test_a_proposal_keeps_the_salt_of_the_baseline(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN)
    accept(repository, command("--propose").stdout)
    salt = yaml.safe_load((repository.root / "secret-scan.yaml").read_text())["salt"]
    repository.write(b__txt=OTHER)
    again = yaml.safe_load(command("--propose").stdout)
    assert again["salt"] == salt
    assert [entry["path"] for entry in again["accepted"]] == ["b.txt"]


def test_a_stale_entry_is_told_once_the_history_is_known(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN)
    accept(repository, command("--propose").stdout)
    repository.write(a__txt="clean")
    assert "no longer found" not in command().output
    result = command("--history")
    assert result.exit_code == 0
    assert "accepted and no longer found: a.txt, strongroom/vault-root-token" in result.output


def test_the_history_tells_the_commit_of_what_is_gone(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN)
    commit = repository.commit()
    repository.write(a__txt="clean")
    repository.commit()
    assert command().exit_code == 0
    result = command("--history")
    assert result.exit_code == 1
    assert f"since commit {commit}" in result.output
    assert command("--since", "HEAD").exit_code == 0


def test_staged_is_the_next_commit(repository: Repository, command: Command) -> None:
    repository.write(a__txt=TOKEN)
    assert command("--staged").exit_code == 0
    repository.git("add", "a.txt")
    assert command("--staged").exit_code == 1


def test_a_file_too_large_is_status_2_and_what_was_found_is_still_told(
    repository: Repository, command: Command
) -> None:
    repository.write(a__txt=TOKEN, b__txt="b" * (2**20 + 1))
    repository.write(**{"secret-scan__yaml": "maxMegabytes: 1\n"})
    result = command("--sarif", "s.sarif")
    assert result.exit_code == 2
    assert "b.txt: NOT SCANNED: too large" in result.output
    assert "a.txt:1" in result.output
    run = sarif(repository.root / "s.sarif")
    assert run["invocations"][0]["executionSuccessful"] is False


def test_sarif_has_every_finding_and_the_reasons_of_the_accepted(
    repository: Repository, command: Command
) -> None:
    repository.write(**{"with space__txt": f"\n{TOKEN}"})
    accept(repository, command("--propose").stdout)
    repository.write(b__txt=OTHER)
    command("--history", "--sarif", "s.sarif")
    run = sarif(repository.root / "s.sarif")
    assert TOKEN not in json.dumps(run)
    open_one, accepted = run["results"]
    assert "suppressions" not in open_one
    assert accepted["suppressions"] == [{"kind": "external", "justification": REASON}]
    where = accepted["locations"][0]["physicalLocation"]
    assert where["artifactLocation"]["uri"] == "with%20space.txt"
    assert where["region"]["startLine"] == 2
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_of_nothing_is_valid_too(repository: Repository, command: Command) -> None:
    repository.write(a__txt="nothing")
    command("--sarif", "s.sarif")
    assert sarif(repository.root / "s.sarif")["results"] == []


def test_the_schema_would_see_a_mistake(repository: Repository, command: Command) -> None:
    repository.write(a__txt=TOKEN)
    command("--sarif", "s.sarif")
    log = json.loads((repository.root / "s.sarif").read_text())
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SCHEMA)


def test_json_is_data(repository: Repository, command: Command) -> None:
    repository.write(a__txt=TOKEN)
    result = command("--json")
    data = json.loads(result.stdout)
    assert data["status"] == 1
    assert data["scanners"] == ["strongroom"]
    assert data["findings"][0]["path"] == "a.txt"
    assert data["findings"][0]["lines"] == [1]


def test_named_paths_need_no_repository(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").write_text(TOKEN)
    assert command("a.log").exit_code == 1
    missing = command("b.log")
    assert missing.exit_code == 2
    assert "no such file or folder" in missing.output
    outside = command()
    assert outside.exit_code == 2
    assert "there is no git repository" in outside.output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--staged", "--history"), "choose one of"),
        (("--config", "none.yaml"), "there is no such file"),
        (("--sarif", "no/such/folder.sarif"), "cannot be written"),
        (("--since", "nothing"), "git does not answer"),
    ],
)
def test_a_mistake_is_status_2(
    repository: Repository, command: Command, arguments: tuple[str, ...], what: str
) -> None:
    repository.write(a__txt="nothing")
    result = command(*arguments)
    assert result.exit_code == 2
    assert what in result.output
