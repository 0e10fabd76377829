"""`strongroom compliance` from the outside: what it prints, what it writes and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import compliance as command
from cli.app import app
from settings import Settings
from tests.unit.compliance.running import platform, running_cluster, running_vault
from tests.unit.drift.stand_in import FakeVault, stack
from tests.unit.support.stacks import REPOSITORY
from vaultops.look import Look
from vaultops.target import Target

LOCAL = REPOSITORY / "Pulumi.local.yaml"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["compliance", "--config-file", *map(str, (LOCAL, *arguments))])


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> FakeVault:
    """The command reaches this Vault and a cluster beside it."""
    fake = running_vault()

    @contextmanager
    def looking(_settings: Settings) -> Iterator[tuple[Target, Look]]:
        yield platform().target, Look(fake)

    monkeypatch.setattr(command, "looking", looking)
    monkeypatch.setattr(command, "kubectl_of", lambda _settings: running_cluster())
    return fake


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "export.json"
    exported = stack()
    for resource in exported["deployment"]["resources"]:
        resource["custom"] = True
    path.write_text(json.dumps(exported))
    return path


def test_help_has_an_example_and_the_exit_statuses() -> None:
    result = CliRunner().invoke(app, ["compliance", "--help"])
    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert "strongroom compliance -s prod --state stack.json" in told
    for status in ("0 no control failed", "1 a control failed", "2 the report could not be made"):
        assert status in told


def test_without_proofs_it_ends_with_0_and_calls_nothing_fine() -> None:
    result = run("--no-live")
    assert result.exit_code == 0, result.output
    assert "PASSED" not in result.stdout
    assert "NOT CHECKED" in result.stdout


def test_a_failed_control_ends_with_1(vault: FakeVault, state: Path) -> None:
    vault.answers["sys/policies/acl/by-hand"] = {"policy": 'path "*" { capabilities = ["sudo"] }'}
    result = run("--state", state)
    assert result.exit_code == 1, result.output
    assert "live: failed: by-hand: " in result.stdout


def test_as_data_with_the_evidence(vault: FakeVault, state: Path) -> None:
    result = run("--state", state, "--json")
    data = json.loads(result.stdout)
    assert data["title"] == "Pulumi.local.yaml"
    assert data["environment"] == "local"
    assert len(data["frameworks"]) == 4
    assert vault.asked


def test_the_page_and_the_pdf_are_written(
    vault: FakeVault, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = {}
    monkeypatch.setattr(command, "write_pdf", lambda page, path: printed.update({path: page}))
    html, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    result = run("--state", state, "--html", html, "--pdf", pdf)
    assert result.stdout == ""
    assert f"wrote {html}" in result.stderr
    assert "<details>" in html.read_text()
    assert "<details open>" in printed[pdf]
    assert vault.asked


def test_a_page_that_cannot_be_written_ends_with_2(tmp_path: Path) -> None:
    result = run("--no-live", "--html", tmp_path / "nowhere" / "report.html")
    assert result.exit_code == 2
    assert "the page cannot be written" in result.stderr


BAD: dict[str, tuple[str | None, str]] = {
    "missing": (None, "No such file"),
    "empty": ("", "it is no JSON"),
    "truncated": (json.dumps(stack())[:300], "it is no JSON"),
    "foreign": ('{"kind": "x"}', "holds nothing that a rule knows"),
    "malformed": ('{"deployment": {"resources": [1]}}', "has not the form"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_export_that_cannot_be_read_ends_with_2(name: str, tmp_path: Path) -> None:
    text, why = BAD[name]
    path = tmp_path / "export.json"
    if text is not None:
        path.write_text(text)
    result = run("--no-live", "--state", path)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("error: ") == 1
    assert why in result.stderr
    assert "pulumi stack export --file" in result.stderr


def test_standard_input_is_refused_with_a_word() -> None:
    result = run("--no-live", "--state", "-")
    assert result.exit_code == 2
    assert "name a file" in result.stderr


def test_without_a_cluster_it_ends_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubectl").write_text(
        "#!/bin/sh\necho 'dial tcp: connection refused' >&2; exit 1\n"
    )
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    result = run()
    assert result.exit_code == 2
    assert "no cluster answers" in result.stderr
