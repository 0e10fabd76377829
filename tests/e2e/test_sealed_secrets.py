"""Sealed Secrets on the real cluster: sealing, scopes, a lost cluster's keys restored, renewal."""

from __future__ import annotations

import copy
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from typer.testing import CliRunner

from cli.app import app
from local.environment import Environment
from local.toolchain import ensure
from sealing import certificates, files, keys
from sealing.certificates import SealingCertificate
from sealing.files import State
from tests.e2e.instances import deployed_with
from tests.e2e.objects import Objects
from tests.e2e.waiting import wait_until
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CONTROLLER = "sealed-secrets:sealed-secrets"
VALUE = "fake-sealed-value"


@pytest.fixture
def objects(environment: Environment) -> Objects:
    return Objects(environment.cluster().api())


@pytest.fixture
def kubectl(environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    """kubectl for the controller; the real tools are on PATH, an age identity is at hand."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, path in ensure(("kubeseal", "sops", "age", "age-keygen", "kubectl")).items():
        (tools / name).symlink_to(path)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    identity = tmp_path / "identity.txt"
    subprocess.run(["age-keygen", "-o", str(identity)], check=True, capture_output=True)
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(identity))
    return Kubectl(namespace="sealed-secrets", kubeconfig=str(environment.node.kubeconfig))


Strongroom = Callable[..., str]


@pytest.fixture
def strongroom(environment: Environment, kubectl: Kubectl, tmp_path: Path) -> Strongroom:
    """`strongroom seal …` on the stack, with backups for the age identity at hand."""
    shown = subprocess.run(
        ["age-keygen", "-y", os.environ["SOPS_AGE_KEY_FILE"]], check=True, capture_output=True
    )
    document = yaml.safe_load(environment.stack.config_file.read_text())
    sealed = document["config"].setdefault("strongroom:sealedSecrets", {})
    sealed["backup"] = {"age": [shown.stdout.decode().strip()]}
    config = tmp_path / "Pulumi.test.yaml"

    def run(*arguments: str, status: int = 0) -> str:
        sealed["fingerprint"] = certificates.fetch(kubectl).fingerprint
        config.write_text(yaml.safe_dump(document))
        stack = () if arguments[0] == "verify-backup" else ("--config-file", str(config))
        result = CliRunner().invoke(app, ["seal", *arguments, *stack])
        assert result.exit_code == status, result.output
        return result.output

    return run


def sealed_file(strongroom: Strongroom, folder: Path, name: str) -> Path:
    """A sealed file of a Secret in ml-training."""
    plain, target = folder / f"{name}.plain", folder / f"{name}.yaml"
    plain.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": "ml-training"},
                "stringData": {"token": VALUE},
            }
        )
    )
    strongroom("seal", str(plain), "--output", str(target))
    plain.unlink()
    return target


def only(path: Path) -> dict[str, Any]:
    (document,) = files.load(path.read_text(), source=str(path))
    return document


def without_keys(objects: Objects, kubectl: Kubectl) -> None:
    """A cluster that lost its sealing keys: the controller starts with one of its own making."""
    core = client.CoreV1Api(objects.api)
    core.delete_collection_namespaced_secret("sealed-secrets", label_selector=keys.LABEL)
    old = kubectl.run("get", "pods", "--output=name").split()
    kubectl.run("rollout", "restart", "deployment/sealed-secrets")
    kubectl.run("rollout", "status", "deployment/sealed-secrets", "--timeout=100s", seconds=110)
    # A rollout does not wait for the end of the old pod, which has the keys in its memory.
    kubectl.run("wait", "--for=delete", *old, "--timeout=100s", seconds=110)


@pytest.mark.parametrize(
    "change", [{"namespace": "ml-serving"}, {"name": "sealed-other"}], ids=["namespace", "name"]
)
def test_a_sealed_file_becomes_a_secret_and_only_where_it_was_sealed_for(
    strongroom: Strongroom, objects: Objects, tmp_path: Path, change: dict[str, str]
) -> None:
    document = only(sealed_file(strongroom, tmp_path, "sealed-one"))
    moved = copy.deepcopy(document)
    for metadata in (moved["metadata"], moved["spec"]["template"]["metadata"]):
        metadata |= change
    try:
        objects.apply(document)
        objects.wait_for_secret("ml-training", "sealed-one", {"token": VALUE})
        objects.apply(moved)
        assert "decrypt" in objects.wait_for_condition(moved, "Synced", "False")
        assert objects.secret(moved["metadata"]["namespace"], moved["metadata"]["name"]) == {}
    finally:
        objects.delete(document)
        objects.delete(moved)


def test_a_renewed_key_seals_what_is_new_and_the_old_one_still_opens(
    environment: Environment,
    strongroom: Strongroom,
    objects: Objects,
    kubectl: Kubectl,
    tmp_path: Path,
) -> None:
    """Renewal out of turn, by the setting: the controller takes the path of the one in turn."""
    document = only(sealed_file(strongroom, tmp_path, "sealed-before"))
    before = certificates.fetch(kubectl)
    # A certificate's start has whole seconds: the next one is after the old key's.
    cutoff = before.not_before + timedelta(seconds=1)
    with deployed_with(
        environment, {"strongroom:sealedSecrets": {"keysMadeBefore": cutoff.isoformat()}}
    ):
        newest = _newer(kubectl, before)
        assert before.fingerprint in {key.fingerprint for key in keys.in_cluster(kubectl).known}
        renewed = only(sealed_file(strongroom, tmp_path, "sealed-after"))
        assert files.state(document, newest.fingerprint) is State.OLD
        assert files.state(renewed, newest.fingerprint) is State.CURRENT
        try:
            for sealed in (document, renewed):
                objects.apply(sealed)
                objects.wait_for_secret("ml-training", sealed["metadata"]["name"], {"token": VALUE})
        finally:
            objects.delete(document)
            objects.delete(renewed)


def test_the_controller_writes_secrets_only_in_the_namespaces_named(objects: Objects) -> None:
    for namespace in ("ml-training", "ml-serving"):
        assert objects.may(CONTROLLER, "create", "secrets", namespace)
    for namespace in ("vault", "external-secrets", "kube-system"):
        for verb in ("get", "list", "create", "update"):
            assert not objects.may(CONTROLLER, verb, "secrets", namespace), f"{verb} {namespace}"


def test_no_pod_can_call_the_controller_through_the_api_server(objects: Objects) -> None:
    assert not objects.may(
        "ml-training:ml-training-sa", "create", "services/proxy", "sealed-secrets"
    )


def test_lost_keys_come_back_from_a_backup_and_files_move_to_the_new_key(
    strongroom: Strongroom, objects: Objects, kubectl: Kubectl, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.json"
    path = sealed_file(strongroom, tmp_path, "sealed-long-ago")
    document = only(path)
    strongroom("backup-keys", "--output", str(backup))
    strongroom("verify-backup", str(backup), str(path))
    before = certificates.fetch(kubectl)
    try:
        without_keys(objects, kubectl)
        objects.apply(document)
        objects.wait_for_condition(document, "Synced", "False")

        strongroom("restore-keys", str(backup), "--yes")
        objects.apply(document)
        objects.wait_for_secret("ml-training", "sealed-long-ago", {"token": VALUE})

        newest = _newer(kubectl, before)
        assert files.state(only(path), newest.fingerprint) is State.OLD
        strongroom("status", str(path), status=6)
        strongroom("rotate", str(path))
        strongroom("status", str(path))
        renewed = only(path)
        assert renewed["spec"]["encryptedData"] != document["spec"]["encryptedData"]
        assert renewed["spec"]["template"] == document["spec"]["template"]
        objects.apply(renewed)
        objects.wait_for_secret("ml-training", "sealed-long-ago", {"token": VALUE})

        assert "older than the newest key" in strongroom("keys", "--backup", str(backup), status=6)
        strongroom("verify-backup", str(backup), str(path), status=6)
    finally:
        objects.delete(document)


def _newer(kubectl: Kubectl, before: SealingCertificate) -> SealingCertificate:
    """The key that the controller made when it had none is the one it seals with since."""

    def served() -> bool:
        try:
            return certificates.fetch(kubectl).fingerprint != before.fingerprint
        except VaultOpsError:
            return False  # the Service still leads to the old pod, which has ended

    wait_until("the controller to serve another key", served)
    newest = certificates.fetch(kubectl)
    assert newest.not_before >= before.not_before
    return newest
