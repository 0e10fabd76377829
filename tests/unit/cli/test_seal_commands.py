"""`strongroom seal`: what it decides, refuses and writes, with fakes of the programs it calls."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.app import app
from sealing import files
from tests.unit.cli.fake_programs import PREFIX
from tests.unit.cli.fake_sealing import FakeController, fake_controller
from tests.unit.sealing.samples import secret
from tests.unit.support.stacks import stack_settings

DOUBT, UNTRUSTED = 6, 5
CLEAR = "fake-plaintext"

Run = Callable[..., Result]


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeController:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return fake_controller(folder)


@pytest.fixture
def run(controller: FakeController, tmp_path: Path) -> Run:
    def call(*arguments: str, pin: str | None = "", given: str = "") -> Result:
        """The command with a stack whose pin is the controller's, another or (None) nobody's."""
        fingerprint = controller.fingerprint if pin == "" else pin
        sealed = {"backup": {"age": ["age1" + "q" * 58]}}
        if fingerprint:
            sealed["fingerprint"] = fingerprint  # type: ignore[assignment]  # one value of several kinds
        settings = stack_settings("dev")
        settings["sealedSecrets"] = settings.get("sealedSecrets", {}) | sealed
        config = {f"strongroom:{key}": value for key, value in settings.items()}
        path = tmp_path / "Pulumi.test.yaml"
        path.write_text(yaml.safe_dump({"config": config}))
        stack = () if arguments[0] == "verify-backup" else ("--config-file", str(path))
        return CliRunner().invoke(app, ["seal", *arguments, *stack], input=given)

    return call


def written(path: Path, *documents: Any) -> Path:
    path.write_text(yaml.safe_dump_all(documents))
    return path


def sealed_with(fingerprint: str, *, noted: str | None = None) -> dict[str, Any]:
    document = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "model-key", "namespace": "ml-training"},
        "spec": {"encryptedData": {"token": PREFIX + fingerprint}},
    }
    return files.noted(document, noted or fingerprint)


def test_a_secret_is_sealed_for_the_pinned_certificate_and_noted(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    given = written(tmp_path / "secret.yaml", secret())
    target = tmp_path / "sealed.yaml"
    result = run("seal", str(given), "-o", str(target))
    assert result.exit_code == 0, result.output
    (document,) = files.load(target.read_text(), source="a test")
    assert document["metadata"]["annotations"]["strongroom.dev/sealed-with"] == (
        controller.fingerprint
    )
    assert "creationTimestamp" not in document["metadata"]
    assert "--scope strict" in controller.calls
    assert CLEAR not in target.read_text() + result.output + controller.calls


def test_standard_input_and_output_serve_a_pipe(run: Run) -> None:
    result = run("seal", "-", given=yaml.safe_dump(secret()))
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(result.stdout)["kind"] == "SealedSecret"


def test_a_certificate_from_a_file_needs_no_cluster(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    given = written(tmp_path / "secret.yaml", secret())
    result = run("seal", str(given), "--cert", str(controller.folder / "cert.pem"))
    assert result.exit_code == 0, result.output
    assert "kubectl" not in controller.calls


@pytest.mark.parametrize("pin", [None, "b" * 64], ids=["no pin", "another pin"])
def test_an_unknown_certificate_seals_nothing(
    run: Run, controller: FakeController, tmp_path: Path, pin: str | None
) -> None:
    given = written(tmp_path / "secret.yaml", secret())
    result = run("seal", str(given), "-o", "sealed.yaml", pin=pin)
    assert result.exit_code == UNTRUSTED
    assert not (tmp_path / "sealed.yaml").exists()
    assert "kubeseal" not in controller.calls


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (secret(namespace=None), "without a namespace"),
        (secret(name=""), "without a name"),
        (secret() | {"kind": "ConfigMap"}, "a ConfigMap where a Secret is expected"),
        (
            secret(annotations={"sealedsecrets.bitnami.com/cluster-wide": "true"}),
            "asks for the scope cluster-wide by annotation",
        ),
    ],
)
def test_what_would_be_sealed_for_something_else_is_refused(
    run: Run, controller: FakeController, tmp_path: Path, manifest: Any, message: str
) -> None:
    given = written(tmp_path / "secret.yaml", secret(), manifest)
    result = run("seal", str(given))
    assert result.exit_code == 1
    assert message in result.stderr
    assert CLEAR not in result.output
    assert "kubeseal" not in controller.calls


def test_a_wider_scope_is_told(run: Run, controller: FakeController, tmp_path: Path) -> None:
    given = written(tmp_path / "secret.yaml", secret(namespace=None))
    result = run("seal", str(given), "--scope", "cluster-wide")
    assert result.exit_code == 0, result.output
    assert "--scope cluster-wide" in controller.calls
    assert "under another name" in result.stderr


def test_only_a_sealed_file_is_replaced(run: Run, tmp_path: Path) -> None:
    given = written(tmp_path / "secret.yaml", secret())
    assert run("seal", str(given), "-o", str(given)).exit_code == 1
    assert yaml.safe_load(given.read_text()) == secret()
    target = written(tmp_path / "sealed.yaml", sealed_with("b" * 64))
    assert run("seal", str(given), "-o", str(target)).exit_code == 0


def test_status_names_what_is_old_changed_or_unknown(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    current = controller.fingerprint
    written(tmp_path / "a-current.yaml", sealed_with(current))
    assert run("status", str(tmp_path)).exit_code == 0
    written(tmp_path / "b-old.yaml", sealed_with("b" * 64))
    written(tmp_path / "c-unknown.yaml", files.without_note(sealed_with(current)))
    result = run("status", str(tmp_path), "--json")
    assert result.exit_code == DOUBT
    states = [row["state"] for row in json.loads(result.stdout)]
    assert states == ["current", "old key", "no note of its key"]
    assert "2 of 3" in result.stderr
    assert "kubectl" not in controller.calls


def test_rotate_seals_what_is_not_current_and_leaves_the_rest(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    current = controller.fingerprint
    kept = written(tmp_path / "kept.yaml", sealed_with(current))
    before = kept.read_text()
    other = {"kind": "ConfigMap", "metadata": {"name": "beside"}}
    changed = written(tmp_path / "old.yaml", other, sealed_with("b" * 64))
    result = run("rotate", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert kept.read_text() == before
    beside, renewed = files.load(changed.read_text(), source="a test")
    assert beside == other
    assert renewed["spec"]["encryptedData"] == {"token": PREFIX + current}
    assert run("status", str(tmp_path)).exit_code == 0


def test_rotate_to_an_unknown_key_changes_nothing(run: Run, tmp_path: Path) -> None:
    old = written(tmp_path / "old.yaml", sealed_with("b" * 64))
    before = old.read_text()
    assert run("rotate", str(old), pin="c" * 64).exit_code == UNTRUSTED
    assert old.read_text() == before


def test_certificate_shows_writes_and_fails_when_the_pin_is_behind(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    shown = run("certificate", "--json", "-o", "cert.pem", pin=None)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["fingerprint"] == controller.fingerprint
    assert (tmp_path / "cert.pem").read_bytes() == (controller.folder / "cert.pem").read_bytes()
    assert run("certificate").exit_code == 0
    assert run("certificate", pin="b" * 64).exit_code == UNTRUSTED


def test_a_backup_holds_every_key_encrypted_and_tells_which(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    controller.has_keys("old", "new")
    result = run("backup-keys", "-o", "backup.json")
    assert result.exit_code == 0, result.output
    backup = tmp_path / "backup.json"
    assert backup.stat().st_mode & 0o077 == 0
    assert "--age age1" in controller.calls
    assert "--encrypted-regex ^data$" in controller.calls
    items = json.loads(backup.read_text())["items"]
    assert all(value.startswith("ENC[") for item in items for value in item["data"].values())
    assert {"uid", "resourceVersion"} & set(items[0]["metadata"]) == set()
    assert run("keys", "--backup", "backup.json").exit_code == 0


def test_a_key_made_after_the_backup_is_missed(run: Run, controller: FakeController) -> None:
    assert run("backup-keys", "-o", "backup.json").exit_code == 0
    controller.has_keys("first", "second")
    result = run("keys", "--backup", "backup.json", "--json")
    assert result.exit_code == DOUBT
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows if not row["backed_up"]] == ["sealed-secrets-key-second"]


def test_a_backup_that_is_not_encrypted_is_not_written(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    (controller.folder / "leaky").touch()
    assert run("backup-keys", "-o", "backup.json").exit_code == DOUBT
    assert not (tmp_path / "backup.json").exists()


def test_an_older_backup_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "backup.json").write_text("older")
    assert run("backup-keys", "-o", "backup.json").exit_code == 1
    assert (tmp_path / "backup.json").read_text() == "older"


def test_restored_keys_reach_the_cluster_server_side_and_the_controller_starts_anew(
    run: Run, controller: FakeController
) -> None:
    controller.has_keys("old", "new")
    assert run("backup-keys", "-o", "backup.json").exit_code == 0
    assert run("restore-keys", "backup.json", given="n\n").exit_code == 1
    assert not (controller.folder / "applied.json").exists()
    assert run("restore-keys", "backup.json", "--yes").exit_code == 0
    applied = json.loads((controller.folder / "applied.json").read_text())["items"]
    original = json.loads((controller.folder / "keys.json").read_text())["items"]
    assert [item["data"] for item in applied] == [item["data"] for item in original]
    assert "apply --server-side" in controller.calls
    assert "rollout restart deployment/sealed-secrets" in controller.calls


def test_the_drill_tells_what_a_backup_opens_and_with_which_key(
    run: Run, controller: FakeController, tmp_path: Path
) -> None:
    controller.has_keys("old", "new")
    items = json.loads((controller.folder / "keys.json").read_text())["items"]
    assert run("backup-keys", "-o", "backup.json").exit_code == 0
    old = json.loads(run("keys", "--json").stdout)[0]["fingerprint"]
    assert len(items) == 2
    # A note can lie; the drill looks at the value itself.
    written(tmp_path / "a.yaml", sealed_with(old, noted=controller.fingerprint))
    result = run("verify-backup", "backup.json", str(tmp_path / "a.yaml"), "--json")
    assert result.exit_code == 0, result.output
    assert [row["state"] for row in json.loads(result.stdout)] == ["old key"]
    written(tmp_path / "b.yaml", sealed_with("b" * 64))
    result = run("verify-backup", "backup.json", str(tmp_path / "b.yaml"))
    assert result.exit_code == DOUBT
    assert "does not open 1 of 1" in result.stderr


def test_a_drill_without_a_sealed_file_proves_nothing(run: Run, controller: FakeController) -> None:
    assert run("backup-keys", "-o", "backup.json").exit_code == 0
    (controller.folder / "empty").mkdir()
    result = run("verify-backup", "backup.json", str(controller.folder / "empty"), "--json")
    assert result.exit_code == 1
    assert "nothing was proven" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["keys", "restore-keys"])
def test_a_list_of_secrets_by_another_hand_is_no_backup(
    run: Run, controller: FakeController, tmp_path: Path, command: str
) -> None:
    secrets = json.loads((controller.folder / "keys.json").read_text())
    (tmp_path / "other.json").write_text(json.dumps({**secrets, "sops": {}}))
    options = ("--backup", "other.json") if command == "keys" else ("other.json", "--yes")
    result = run(command, *options)
    assert result.exit_code == 1
    assert "no backup of sealing keys" in result.stderr


def test_a_file_name_with_brackets_is_shown_as_it_is(run: Run, tmp_path: Path) -> None:
    written(tmp_path / "[red] [prod].yaml", sealed_with("b" * 64))
    assert "[red] [prod].yaml" in run("status", str(tmp_path)).stdout.replace("\n", "")


@pytest.mark.parametrize("command", ["certificate", "backup-keys"])
def test_a_result_that_cannot_be_written_is_told(run: Run, command: str) -> None:
    result = run(command, "--output", "none/result")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "none/result" in result.stderr
    assert "No such file or directory" in result.stderr


def test_a_named_file_that_is_no_text_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    result = run("status", "binary.yaml")
    assert result.exit_code == 1
    assert "binary.yaml" in result.stderr
    assert "it is no text" in result.stderr


@pytest.mark.parametrize("text", ["", "{}", '{"items": []}', '{"items": [{}]}', "no JSON"])
def test_what_is_no_backup_is_refused(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "backup.json").write_text(text)
    assert run("restore-keys", "backup.json", "--yes").exit_code == 1


def test_private_keys_are_never_printed_or_passed_as_arguments(
    run: Run, controller: FakeController
) -> None:
    output = run("backup-keys", "-o", "backup.json").output
    output += run("keys").output
    output += run("restore-keys", "backup.json", "--yes").output
    key = json.loads((controller.folder / "keys.json").read_text())["items"][0]["data"]["tls.key"]
    assert key[:40] not in output + controller.calls
    assert "PRIVATE KEY" not in output
