"""`strongroom sops`: rules written from the stacks, and files checked against them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.app import app
from tests.unit.support.stacks import changed

DOUBT = 6
AGE = "age1" + "q" * 58
KMS = "arn:aws:kms:eu-central-1:123456789012:alias/example"
CLEAR = "fake-plaintext"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    stack("dev", {"folder": "secrets/dev", "age": [AGE]})
    stack("prod", {"folder": "secrets/production", "awsKms": KMS})
    return tmp_path


def stack(name: str, sops: dict[str, Any] | None) -> None:
    settings = changed(name, {"sops": sops})
    if sops is None:
        del settings["sops"]
    config = {f"strongroom:{key}": value for key, value in settings.items()}
    Path(f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["sops", *arguments])


def test_rules_are_written_from_every_stack_and_then_up_to_date() -> None:
    assert run("init").exit_code == 0
    rules = yaml.safe_load(Path(".sops.yaml").read_text())["creation_rules"]
    assert [rule.get("age") or rule["kms"] for rule in rules] == [AGE, KMS]
    assert run("init", "--check").exit_code == 0
    assert "up to date" in run("init").stderr


def test_rules_that_are_behind_the_settings_fail_the_check_and_stay() -> None:
    assert run("init").exit_code == 0
    before = Path(".sops.yaml").read_text()
    stack("dev", {"folder": "secrets/dev", "awsKms": KMS})
    assert run("init", "--check").exit_code == DOUBT
    assert Path(".sops.yaml").read_text() == before
    assert run("init").exit_code == 0
    assert run("init", "--check").exit_code == 0


@pytest.mark.parametrize("text", [b"creation_rules: []\n", b"\xff\xfe"])
def test_rules_by_another_hand_are_not_replaced(text: bytes) -> None:
    Path(".sops.yaml").write_bytes(text)
    result = run("init")
    assert result.exit_code == 1
    assert "were written by hand" in result.stderr
    assert Path(".sops.yaml").read_bytes() == text
    assert run("init", "--check").exit_code == DOUBT


def test_without_any_stack_that_encrypts_nothing_is_written() -> None:
    stack("dev", None)
    stack("prod", None)
    assert run("init").exit_code == 1
    assert not Path(".sops.yaml").exists()


def test_a_file_in_clear_fails_by_name_and_field_without_its_value() -> None:
    assert run("init").exit_code == 0
    secrets = Path("secrets/dev")
    secrets.mkdir(parents=True)
    document = {
        "kind": "Secret",
        "stringData": {"token": "ENC[AES256_GCM,data:x,type:str]", "second": CLEAR},
        "sops": {"age": [{"recipient": AGE}]},
    }
    (secrets / "a.yaml").write_text(yaml.safe_dump(document))
    result = run("check", ".", "--json")
    assert result.exit_code == DOUBT
    assert json.loads(result.stdout) == [
        {"file": "secrets/dev/a.yaml", "field": "stringData.second", "finding": "is in clear"}
    ]
    table = run("check", ".")
    assert "stringData.second" in table.stdout
    assert CLEAR not in result.output + table.output
    del document["stringData"]["second"]  # type: ignore[attr-defined]
    (secrets / "a.yaml").write_text(yaml.safe_dump(document))
    assert run("check", "secrets").exit_code == 0


def test_a_check_of_nothing_is_an_error_and_not_a_pass() -> None:
    assert run("check", ".").exit_code == 1  # no rules yet
    assert run("init").exit_code == 0
    assert run("check", "nowhere").exit_code == 1
