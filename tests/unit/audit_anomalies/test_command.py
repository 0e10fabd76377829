"""`strongroom audit anomalies` on a replayed log: forms, exit statuses, the kept baseline."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit import baseline
from audit.backend import connect, read_parquet
from audit.read import read
from audit.store import Store
from benchmarks import audit_replay
from cli import audit_anomalies
from cli.app import app

runner = CliRunner()


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> audit_replay.Replay:
    return audit_replay.write(tmp_path_factory.mktemp("replay"), lines=2000, seed=3)


def entry(log: Path, kind: str, path: str) -> None:
    """Append a call of that kind to a copy of the replay, as its last."""
    last = json.loads(log.read_text().splitlines()[-1])["time"]
    shapes = audit_replay.SHAPES.read_text().splitlines()
    shape = next(each for each in map(json.loads, shapes) if each["kind"] == kind)
    with log.open("a") as out:
        for each in shape["entries"]:
            text = json.dumps(each).replace("@path@", path).replace("@time@", last)
            text = text.replace("@request@", f"fake-{kind}-{path}")
            out.write(text.replace("@address@", "203.0.113.9") + "\n")


@pytest.fixture
def log(replay: audit_replay.Replay, tmp_path: Path) -> Path:
    copy = tmp_path / "audit.log"
    copy.write_bytes(replay.log.read_bytes())
    return copy


def test_what_is_found_is_told_and_ends_with_a_status(log: Path, tmp_path: Path) -> None:
    entry(log, "generate-root", "sys/generate-root/attempt")
    page = tmp_path / "page.html"
    done = runner.invoke(app, ["audit", "anomalies", str(log), "--html", str(page)])
    assert done.exit_code == audit_anomalies.FOUND == 3, done.output
    assert "generate-root" in done.stdout
    assert "203.0.113.9" in done.stdout
    assert f"{log}:" in done.stdout
    assert "sys/generate-root/attempt" in page.read_text()


@pytest.mark.e2e  # seconds for each run of all detections
def test_json_holds_the_evidence(log: Path, replay: audit_replay.Replay) -> None:
    entry(log, "kv-read", "secret/data/ml/decoy/cloud-administrator")
    asked = ["audit", "anomalies", str(log), "--known", str(replay.known), "--json"]
    done = runner.invoke(app, asked)
    [finding] = json.loads(done.stdout)["findings"]
    assert (finding["detection"], finding["severity"]) == ("canary-read", "critical")
    lines = log.read_text().splitlines()
    assert finding["evidence"][0]["line"] == len(lines)
    assert datetime.fromisoformat(finding["start"]).tzinfo is not None


@pytest.mark.e2e
def test_nothing_new_is_no_finding(log: Path) -> None:
    entry(log, "generate-root", "sys/generate-root/attempt")
    done = runner.invoke(app, ["audit", "anomalies", str(log), "--since", "2030-01-01"])
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert "nothing out of the ordinary" in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ([], 2, "name what to read"),
        (["none.log"], 1, "none.log"),
        (["--since", "soon", "x.log"], 1, "no point in time"),
        (["--known", "none.yaml", "x.log"], 1, "No such file"),
        (["--html", "none/page.html", "x.log"], 1, "the page cannot be written"),
    ],
)
def test_mistakes_end_in_one_message(options: list[str], status: int, said: str) -> None:
    done = runner.invoke(app, ["audit", "anomalies", *options])
    assert done.exit_code == status, done.output
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_the_help_has_an_example_and_the_statuses() -> None:
    text = runner.invoke(app, ["audit", "anomalies", "--help"]).stdout
    assert "Example:" in text
    assert "Exit status:" in text


def test_the_baseline_is_kept_and_grows_by_what_is_new(log: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    read(store, [log])
    first = baseline.kept(store)
    made = {path: path.stat().st_mtime_ns for path in first}
    entry(log, "kv-read", "secret/data/ml/another")
    read(store, [log])
    files = baseline.kept(store)
    assert len(files) > len(first)
    assert {path: path.stat().st_mtime_ns for path in first} == made


def test_the_baseline_counts_each_call_once(log: Path, tmp_path: Path) -> None:
    whole, parts = Store(tmp_path / "whole"), Store(tmp_path / "parts")
    read(whole, [log])
    lines = log.read_bytes().splitlines(keepends=True)
    for count in (501, 1000, len(lines)):
        log.write_bytes(b"".join(lines[:count]))
        read(parts, [log])
        baseline.kept(parts)
    assert total(parts) == total(whole)


def total(store: Store) -> list[tuple[str, str, int]]:
    """Calls by subject and path."""
    backend = connect()
    visits = read_parquet(backend, "visits", baseline.VISITS, list(map(str, baseline.kept(store))))
    rows = visits.group_by(["subject", "path"]).aggregate(calls=visits.calls.sum())
    found = rows.to_pyarrow().to_pylist()
    return sorted((row["subject"], row["path"], row["calls"]) for row in found)
