"""`strongroom rotate`: arguments, exit statuses and messages; Vault is one in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli import rotate
from cli.app import app
from rotation.record import Failure, Record
from rotation.schedule import DAY
from rotation.steps import Rotation
from tests.unit.rotation_engine.fakes import Bench
from tests.unit.support.stacks import REPOSITORY, changed

NOW = Bench().clock()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """The command works on rotations in memory, and its clock stands still."""
    made = Bench()
    known = [made.rotation("one"), made.rotation("two", kind="another", phase=DAY)]

    @contextmanager
    def clients(_: Any) -> Iterator[str]:
        yield "clients"

    def rotations(_: Any, __: Any) -> list[Rotation]:
        return known

    monkeypatch.setattr("cli.rotating.Access.clients", clients)
    for name, value in {
        "rotations": rotations,
        "VaultRecords": lambda _: made.records,
        "VaultEventLog": lambda _: made.log,
        "TransitSigner": lambda _, __: made.signer,
        "public_keys": lambda _, __: made.signer.public,
        "time": made.clock,
    }.items():
        monkeypatch.setattr(rotate, name, value)
    monkeypatch.chdir(tmp_path)
    chart = str(REPOSITORY / "local" / "charts" / "vault")
    stack = changed("local", {"vault.chart.location": chart})
    config = {f"strongroom:{k}": v for k, v in stack.items()}
    (tmp_path / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": config}))
    return made


def call(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["rotate", *arguments, "--stack", "test"])


def test_a_first_pass_rotates_everything_and_then_all_is_fine(bench: Bench) -> None:
    due = call("status")
    assert due.exit_code == 8
    assert "2 rotations are due" in due.stderr
    ran = call("run", "--json")
    assert ran.exit_code == 0, ran.output
    assert [o["result"] for o in json.loads(ran.stdout)] == ["finished", "finished"]
    assert call("status", "--verify").exit_code == 0
    again = call("run")
    assert again.exit_code == 0
    assert "nothing is due" in again.stderr


def test_the_plan_is_in_the_order_of_time_and_always_fine(bench: Bench) -> None:
    assert call("plan").exit_code == 0
    call("run")
    planned = json.loads(call("plan", "--json").stdout)
    assert [p["due"] for p in planned] == sorted(p["due"] for p in planned)
    assert planned[0]["steps"] == ["first", "second", "third"]
    assert planned[0]["every_days"] == 90


def test_only_the_named_ones_run_and_an_unknown_name_is_refused(bench: Bench) -> None:
    refused = call("run", "on")
    assert refused.exit_code == 1
    assert "use one of one, two" in refused.stderr
    assert call("run", "two").exit_code == 0
    assert list(bench.records.kept) == ["two"]


def test_everything_at_once_is_refused(bench: Bench) -> None:
    refused = call("run", "--now")
    assert refused.exit_code == 2
    assert "--now needs names" in refused.stderr
    assert bench.done == []


@pytest.mark.parametrize(
    ("failure", "since", "told"),
    [
        (Failure(what="no", where="w", why="denied", fix="ask", at=NOW), 0, "ask"),
        (None, DAY + 60, "the remedy of second"),
    ],
)
def test_a_failed_or_stuck_one_ends_with_9_and_its_remedy(
    bench: Bench, failure: Failure | None, since: float, told: str
) -> None:
    call("run")
    record = Record(
        rotation="one",
        kind="fake-kind",
        run="run",
        started=NOW,
        step="second",
        since=NOW - since,
        failure=failure,
    )
    bench.records.save(record, bench.records.kept["one"][1])
    found = call("status")
    assert found.exit_code == 9
    assert "one, step second" in found.stderr
    assert told in found.stderr
    (first, _) = json.loads(call("status", "--json").stdout)
    assert (first["step"], first["age"], first["remedy"]) == ("second", since, told)


def test_a_changed_event_line_ends_with_6(bench: Bench) -> None:
    call("run")
    whole = call("events")
    assert whole.exit_code == 0
    assert len(whole.stdout.splitlines()) == 10
    bench.log.kept[3] = bench.log.kept[3].replace("fact", "fake")
    for arguments in (("events",), ("status", "--verify")):
        found = call(*arguments)
        assert found.exit_code == 6
        assert "line 3 was changed" in found.stderr


def test_a_pods_login_needs_its_files(tmp_path: Path, bench: Bench, monkeypatch: Any) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    for arguments, status, told in (
        (["--jwt-file", "token"], 2, "--jwt-file needs --ca-file"),
        (["--ca-file", "ca.crt"], 2, "go with --jwt-file"),
        (["--jwt-file", "token", "--ca-file", "ca.crt"], 1, "cannot be read"),
        (
            ["--jwt-file", "token", "--ca-file", "ca.crt", "--vault-address", "http://vault"],
            2,
            "must begin with https://",
        ),
    ):
        found = call("status", *arguments)
        assert found.exit_code == status, found.output
        assert told in " ".join(found.stderr.split())
