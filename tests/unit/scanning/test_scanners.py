"""The adapters: what a scanner prints becomes sightings; one that is missing or fails is named."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks.scanner_values import SECRETS
from scanning import detect_secrets, gitleaks, programs, trufflehog
from scanning.errors import ScanError
from scanning.model import Scanner
from scanning.scan import scan
from scanning.snapshot import Mode, Snapshot

PASSWORD = SECRETS["database url"](Random(8)).split(":")[2].split("@")[0]
TOKEN = SECRETS["github token"](Random(8))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for PATH, beside git's, and an empty tool folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(programs, "TOOL_FOLDER", tmp_path / "tools")
    return folder


def program(folder: Path, name: str, output: str, status: int = 0) -> None:
    """A program that prints `output`."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\necho {PASSWORD} >&2\nexit {status}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


GITLEAKS = json.dumps(
    [{"RuleID": "github-pat", "File": "3/a/b.env", "StartLine": 7, "Secret": TOKEN, "Match": "x"}]
)
TRUFFLEHOG = json.dumps(
    {
        "SourceMetadata": {"Data": {"Filesystem": {"file": "12/c.yaml", "line": 4}}},
        "DetectorName": "Github",
        "Raw": TOKEN,
    }
)


def test_gitleaks_findings_are_read(path: Path, tmp_path: Path) -> None:
    program(path, "gitleaks", GITLEAKS)
    (seen,) = gitleaks.sightings(tmp_path)
    assert (seen.name, seen.file, seen.line) == ("gitleaks/github-pat", 3, 7)
    assert seen.secret == TOKEN


def test_trufflehog_findings_are_read(path: Path, tmp_path: Path) -> None:
    program(path, "trufflehog", TRUFFLEHOG)
    (seen,) = trufflehog.sightings(tmp_path)
    assert (seen.name, seen.file, seen.line) == ("trufflehog/github", 12, 4)
    assert "--no-verification" in trufflehog.ARGUMENTS


@pytest.mark.parametrize("nothing", ["[]", "null"])
def test_gitleaks_may_find_nothing(path: Path, tmp_path: Path, nothing: str) -> None:
    program(path, "gitleaks", nothing)
    assert list(gitleaks.sightings(tmp_path)) == []


def test_detect_secrets_findings_are_read(tmp_path: Path) -> None:
    snapshot = Snapshot(folder=tmp_path, mode=Mode.PATHS)
    snapshot.add("a.env", f"\nDB_PASSWORD='{PASSWORD}'  # pragma: allowlist secret\n".encode())
    (seen,) = detect_secrets.sightings(tmp_path)
    assert (seen.name, seen.file, seen.line) == ("detect-secrets/secret-keyword", 0, 2)
    assert seen.secret == PASSWORD


def sides(folder: Path) -> Iterator[tuple[str, object]]:
    yield "gitleaks", gitleaks.sightings(folder)
    yield "trufflehog", trufflehog.sightings(folder)


@pytest.mark.parametrize("name", ["gitleaks", "trufflehog"])
@pytest.mark.parametrize(
    ("output", "status", "what"),
    [
        ("", 3, "it ended with status 3"),
        ("{not json", 0, "not understood"),
        ('{"a": 1}', 0, "not u"),
    ],
)
def test_a_scanner_that_fails_is_named_and_its_output_is_not_shown(
    path: Path, tmp_path: Path, name: str, output: str, status: int, what: str
) -> None:
    program(path, name, output, status)
    side = dict(sides(tmp_path))[name]
    with pytest.raises(ScanError, match=what) as raised:
        list(side)  # type: ignore[call-overload]
    assert name in str(raised.value)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize("name", ["gitleaks", "trufflehog"])
def test_a_missing_scanner_is_named_before_anything_is_read(
    path: Path, tmp_path: Path, name: str
) -> None:
    program(path, {"gitleaks": "trufflehog", "trufflehog": "gitleaks"}[name], "")
    with pytest.raises(
        ScanError, match=rf"python -m local.toolchain {name}`; or leave it out"
    ) as no:
        scan(tmp_path, Mode.PATHS, paths=[tmp_path / "nothing"])
    assert f"github.com/{'gitleaks' if name == 'gitleaks' else 'trufflesecurity'}/" in str(no.value)


def test_a_missing_library_is_named(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gitleaks", "trufflehog"):
        program(path, name, "")
    monkeypatch.setattr(detect_secrets, "find_spec", lambda _: None)
    with pytest.raises(ScanError, match="pip install"):
        scan(tmp_path, Mode.PATHS, paths=[tmp_path])


def test_the_projects_tool_folder_is_looked_in_after_path(path: Path) -> None:
    program(programs.TOOL_FOLDER, "gitleaks", "")
    assert programs.find(Scanner.GITLEAKS) == str(programs.TOOL_FOLDER / "gitleaks")
    program(path, "gitleaks", "")
    assert programs.find(Scanner.GITLEAKS) == str(path / "gitleaks")
