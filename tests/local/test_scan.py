"""`strongroom scan` with the real scanners and no network: every kind of secret, in every mode."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from benchmarks.scanner_corpus import TYPES, Sample, corpus
from benchmarks.scanner_values import SECRETS
from local.paths import REPOSITORY
from local.toolchain import ensure
from scanning.model import Scanner
from tests.unit.scanning.repository import Repository
from tests.unit.scanning.sarif_schema import SCHEMA

pytestmark = pytest.mark.e2e

SAMPLES = tuple(corpus(11, held_out=False, each=1))
# A new network namespace has no way out: what is found there is found without asking anybody.
ALONE = ("unshare", "--net")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real scanners."""
    folder = tmp_path_factory.mktemp("bin")
    for name, path in ensure(("gitleaks", "trufflehog")).items():
        (folder / name).symlink_to(path)
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "project"
    root.mkdir()
    return Repository(root)


def scan(tools: Path, root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `root`; whatever it prints must be free of the corpus' secrets."""
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "cli", "scan", *arguments],
        cwd=root,
        env=os.environ
        | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    shown = done.stdout + done.stderr
    assert [value for sample in SAMPLES for value in sample.values if value in shown] == []
    return done


def write(repository: Repository, samples: tuple[Sample, ...]) -> None:
    for number, sample in enumerate(samples):
        folder = repository.root / f"{number:03}"
        folder.mkdir()
        (folder / sample.name).write_text(sample.text)


def test_every_kind_is_found_in_every_type_of_file_and_nothing_else(
    tools: Path, repository: Repository
) -> None:
    write(repository, SAMPLES)
    done = scan(tools, repository.root, "--json", "--sarif", "scan.sarif")
    assert done.returncode == 1, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    accused = {int(found["path"].split("/")[0]) for found in data["findings"]}
    secrets = {number for number, sample in enumerate(SAMPLES) if sample.values}
    assert len(secrets) == len(SECRETS) * len(TYPES)
    wrong = [(SAMPLES[number].kind, SAMPLES[number].type) for number in accused ^ secrets]
    assert wrong == []
    by = {rule.split("/")[0] for found in data["findings"] for rule in found["rules"]}
    assert by == set(Scanner)

    text = (repository.root / "scan.sarif").read_text()
    assert [value for sample in SAMPLES for value in sample.values if value in text] == []
    log = json.loads(text)
    jsonschema.validate(log, SCHEMA)
    assert len(log["runs"][0]["results"]) == len(data["findings"])


def test_staged_history_and_the_one_baseline(tools: Path, repository: Repository) -> None:
    one_of_each = tuple(sample for sample in SAMPLES if sample.values and sample.type == "env")
    write(repository, one_of_each)
    repository.git("add", "--all")
    staged = scan(tools, repository.root, "--staged", "--json")
    assert staged.returncode == 1
    assert {found["path"][:3] for found in json.loads(staged.stdout)["findings"]} == {
        f"{number:03}" for number in range(len(one_of_each))
    }
    repository.commit("leak")
    repository.git("rm", "-r", "--quiet", ".")
    repository.commit("removed, which is not enough")

    proposed = scan(tools, repository.root, "--history", "--propose")
    assert proposed.returncode == 1
    entries = yaml.safe_load(proposed.stdout)
    assert len({entry["path"] for entry in entries["accepted"]}) == len(one_of_each)
    for entry in entries["accepted"]:
        entry["reason"] = "made for this test, opens nothing"
    repository.write(**{"secret-scan__yaml": yaml.safe_dump(entries)})
    accepted = scan(tools, repository.root, "--history")
    assert accepted.returncode == 0, accepted.stdout
    assert f"{len(entries['accepted'])} accepted, 0 accepted and gone" in accepted.stderr
    # The entries hold without the scanner that is left out before a commit.
    less = scan(tools, repository.root, "--history", "--without=trufflehog")
    assert less.returncode == 0, less.stdout


def test_odd_input_is_answered(tools: Path, repository: Repository) -> None:
    repository.write(empty__txt="", huge__txt="a b\n" * (3 * 2**20))
    (repository.root / "binary").write_bytes(b"\x7fELF\0" + bytes(range(256)))
    (repository.root / "latin").write_bytes(b"password of the caf\xe9\n")
    done = scan(tools, repository.root, "--json")
    assert done.returncode == 2
    data = json.loads(done.stdout)
    assert {one["path"]: one["why"] for one in data["unscanned"]} == {
        "binary": "binary",
        "huge.txt": "too large",
    }
    assert data["files"] == 2


def test_this_repository_has_nothing_open(tools: Path) -> None:
    done = scan(tools, REPOSITORY)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
