"""Sealing with the real kubeseal, backups with real sops and age; only the cluster is a fake."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.toolchain import ensure
from sealing import certificates, files, keys, kubeseal, sops
from sealing.files import State
from sealing.kubeseal import Scope
from tests.unit.cli import fake_programs
from tests.unit.cli.fake_sealing import FakeController
from tests.unit.sealing.samples import secret
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl

pytestmark = pytest.mark.e2e

TOOLS = ("kubeseal", "sops", "age", "age-keygen")
KUBECTL = Kubectl(namespace="sealed-secrets")
CLEAR = "fake-plaintext"


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeController:
    """Real tools and a fake kubectl on PATH; the controller's keys are real RSA keys."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, path in ensure(TOOLS).items():
        (folder / name).symlink_to(path)
    command = shlex.join([sys.executable, fake_programs.__file__, "kubectl", str(folder)])
    (folder / "kubectl").write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    fake = FakeController(folder)
    fake.has_keys("old", "first")
    return fake


@pytest.fixture
def age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, controller: FakeController) -> str:
    """A new age identity that sops finds; the result is its recipient."""
    path = tmp_path / "identity.txt"
    subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(path))
    shown = subprocess.run(["age-keygen", "-y", str(path)], check=True, capture_output=True)
    return shown.stdout.decode().strip()


Seal = Callable[..., dict[str, Any]]


@pytest.fixture
def seal(controller: FakeController) -> Seal:
    def make(scope: Scope = Scope.STRICT, **metadata: Any) -> dict[str, Any]:
        trusted = certificates.fetch(KUBECTL)
        (document,) = kubeseal.seal([secret(**metadata)], trusted, scope, source="a test")
        return document

    return make


def test_a_sealed_value_is_opened_by_its_key_and_by_no_other(
    seal: Seal, controller: FakeController
) -> None:
    document = seal()
    assert CLEAR not in json.dumps(document)
    assert files.state(document, controller.fingerprint) is State.CURRENT
    assert keys.tried(document, keys.in_cluster(KUBECTL)) is State.CURRENT
    controller.has_keys("second")
    assert keys.tried(document, keys.in_cluster(KUBECTL)) is None


def test_a_renewed_key_makes_a_file_old_and_leaves_it_readable(
    seal: Seal, controller: FakeController
) -> None:
    document = seal()
    controller.has_keys("first", "new")
    assert files.state(document, controller.fingerprint) is State.OLD
    assert keys.tried(document, keys.in_cluster(KUBECTL)) is State.OLD


@pytest.mark.parametrize(
    ("scope", "renamed", "moved"),
    [
        (Scope.STRICT, None, None),
        (Scope.NAMESPACE_WIDE, State.CURRENT, None),
        (Scope.CLUSTER_WIDE, State.CURRENT, State.CURRENT),
    ],
)
def test_a_scope_says_where_a_file_opens(
    seal: Seal, scope: Scope, renamed: State | None, moved: State | None
) -> None:
    document = seal(scope)
    own = keys.in_cluster(KUBECTL)
    assert keys.tried(document, own) is State.CURRENT
    assert keys.tried(_elsewhere(document, name="another"), own) is renamed
    assert keys.tried(_elsewhere(document, namespace="another"), own) is moved


def test_a_backup_for_an_age_key_opens_every_file_and_nothing_without_the_key(
    seal: Seal, age: str, controller: FakeController, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = seal()
    backup, saved = keys.back_up(KUBECTL, sops.Recipients(age=(age,)))
    assert keys.fingerprints(backup, source="a test") == {k.fingerprint for k in saved.known}
    private = json.loads((controller.folder / "keys.json").read_text())["items"][0]["data"]
    assert private["tls.key"][:60].encode() not in backup
    opened = keys.opened(backup, source="a test")
    assert opened == saved
    assert keys.tried(document, opened) is State.CURRENT
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", "/nonexistent")
    with pytest.raises(VaultOpsError, match="sops failed"):
        keys.opened(backup, source="a test")


def test_restoring_gives_the_cluster_the_same_keys(age: str, controller: FakeController) -> None:
    backup, _ = keys.back_up(KUBECTL, sops.Recipients(age=(age,)))
    keys.restore(KUBECTL, keys.opened(backup, source="a test"))
    applied = json.loads((controller.folder / "applied.json").read_text())["items"]
    original = json.loads((controller.folder / "keys.json").read_text())["items"]
    assert [item["data"] for item in applied] == [item["data"] for item in original]


def test_what_is_no_secret_is_refused_in_words_without_its_value(
    controller: FakeController,
) -> None:
    trusted = certificates.fetch(KUBECTL)
    wrong = secret() | {"data": {"token": CLEAR + " is no base64!"}}
    with pytest.raises(VaultOpsError) as raised:
        kubeseal.seal([wrong], trusted, Scope.STRICT, source="a test")
    assert CLEAR not in str(raised.value)


def _elsewhere(document: dict[str, Any], **place: str) -> dict[str, Any]:
    changed: dict[str, Any] = yaml.safe_load(yaml.safe_dump(document))
    changed["metadata"] |= place
    changed["spec"]["template"]["metadata"] |= place
    return changed
