"""`strongroom drift` from the outside: what it prints and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import drift as command
from cli.app import app
from settings import Settings
from tests.unit.drift.stand_in import FakeVault, kubectl, stack
from tests.unit.support.stacks import REPOSITORY
from vaultops.look import Look

LOCAL = REPOSITORY / "Pulumi.local.yaml"


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["drift", *map(str, arguments)], input=stdin)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    """The command reaches this Vault, and a cluster as it was deployed."""
    fake = FakeVault()

    @contextmanager
    def looking(_settings: Settings) -> Iterator[tuple[None, Look]]:
        yield None, Look(fake)

    monkeypatch.setattr(command, "looking", looking)
    monkeypatch.setattr(command, "kubectl_of", lambda _settings: kubectl())
    return fake


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(stack()))
    return path


def test_help_has_an_example_and_the_exit_statuses() -> None:
    result = run("--help")
    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert "strongroom drift -s prod --state -" in told
    for status in ("0 no drift", "1 drift", "2 the comparison could not be done"):
        assert status in told


def test_no_drift_ends_with_0(vault: FakeVault, state: Path) -> None:
    result = run("--config-file", LOCAL, "--state", state)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("No drift; ")
    assert vault.asked


def test_drift_ends_with_1_and_is_told_in_sections(vault: FakeVault, state: Path) -> None:
    vault.answers["sys/policies/acl/by-hand"] = {"policy": ""}
    vault.answers["database/roles/ml-readonly"] = {
        **vault.answers["database/roles/ml-readonly"],
        "max_ttl": 99,
    }
    del vault.answers["secret/config"]
    result = run("--config-file", LOCAL, "--state", state)
    assert result.exit_code == 1, result.output
    lines = result.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if line[0] != " "][:3] == [
        "CHANGED",
        "MISSING",
        "UNMANAGED",
    ]
    assert "  policy by-hand" in lines
    assert "      max_ttl: 99, in the program 86400" in lines


def test_drift_as_data(vault: FakeVault, state: Path) -> None:
    vault.answers["sys/policies/acl/by-hand"] = {"policy": ""}
    result = run("--config-file", LOCAL, "--state", "-", "--json", stdin=state.read_text())
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["drift"] is True
    assert [(d["state"], d["kind"], d["name"]) for d in told["differences"]] == [
        ("unmanaged", "policy", "by-hand")
    ]
    assert told["notCompared"] == []


def test_a_comparison_that_is_not_whole_ends_with_2(vault: FakeVault, state: Path) -> None:
    vault.denied = frozenset({"sys/audit"})
    result = run("--config-file", LOCAL, "--state", state)
    assert result.exit_code == 2
    assert "NOT COMPARED: audit device (all): Vault denies reading sys/audit" in result.stdout
    assert "No drift" not in result.stdout


BAD: dict[str, tuple[str | None, str]] = {
    "missing": (None, "No such file"),
    "empty": ("", "it is no JSON"),
    "truncated": (json.dumps(stack())[:400], "it is no JSON"),
    "foreign": ('{"kind": "List"}', "it has no `deployment`"),
    "malformed": ('{"deployment": {"resources": [1]}}', "has not the expected form"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_export_that_cannot_be_read_ends_with_2(name: str, tmp_path: Path) -> None:
    text, why = BAD[name]
    path = tmp_path / "export.json"
    if text is not None:
        path.write_text(text)
    result = run("--config-file", LOCAL, "--state", path)
    assert result.exit_code == 2
    assert result.stderr.count("error: ") == 1
    for part in (why, str(path), "pulumi stack export --file"):
        assert part in result.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--stack", "nope"), "there is no stack 'nope'"),
        (("--config-file", "missing.yaml"), "missing.yaml"),
        ((), "name the stack"),
    ],
)
def test_a_stack_that_is_not_there_ends_with_2(
    arguments: tuple[str, ...], why: str, state: Path
) -> None:
    result = run(*arguments, "--state", state)
    assert result.exit_code == 2
    assert why in result.stderr


def test_without_a_cluster_it_ends_with_2(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl_that_fails = tmp_path / "kubectl"
    kubectl_that_fails.write_text("#!/bin/sh\necho 'dial tcp: connection refused' >&2; exit 1\n")
    kubectl_that_fails.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    result = run("--config-file", LOCAL, "--state", state)
    assert result.exit_code == 2
    assert "no cluster answers" in result.stderr


def test_wrong_settings_end_with_2(state: Path, tmp_path: Path) -> None:
    wrong: dict[str, Any] = {"config": {"strongroom:environment": "prod", "strongroom:nope": 1}}
    path = tmp_path / "wrong.yaml"
    path.write_text(json.dumps(wrong))
    assert run("--config-file", path, "--state", state).exit_code == 2
