"""The whole platform on a real node: what a user sees of it, and what nobody may see."""

from __future__ import annotations

import json
from typing import Any

import hvac
import pytest

from local.environment import Environment
from local.progress import Clock
from local.stack import STACK
from local.workload import SECRET, example_job
from vaultops.session import operator_session
from vaultops.target import VaultTarget
from vaultops.upgrade import healthy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_a_second_up_changes_nothing(environment: Environment) -> None:
    environment.stack.up("--expect-no-changes")


def test_objects_that_the_state_does_not_know_are_taken_up(environment: Environment) -> None:
    """As after a kill between an object's creation and its record in the state."""
    resources = environment.stack.export()["deployment"]["resources"]
    needed = {urn for r in resources for urn in (r.get("parent"), *r.get("dependencies", []))}
    forgotten = {
        r["urn"]: r["type"]
        for r in resources
        if r["type"].startswith("kubernetes:") and r["urn"] not in needed
    }
    kinds = {kind.rpartition(":")[2] for kind in forgotten.values()}
    assert kinds > {"CronJob", "NetworkPolicy", "PushSecret", "RoleBinding"}
    environment.stack.run("state", "delete", "--stack", STACK, "--yes", *forgotten)
    environment.stack.up()
    environment.stack.up("--expect-no-changes")


def test_a_mount_that_was_being_made_is_found_again(environment: Environment) -> None:
    """As after a kill between Vault's answer and its record in the state: a mount is there once."""
    resources = environment.stack.export()["deployment"]["resources"]
    (mount,) = (r for r in resources if r["urn"].endswith("::transit-mount"))
    lost = with_dependents(mount["urn"], resources)
    begun = {key: value for key, value in mount.items() if key not in ("id", "outputs")}
    # In the backend's own file, for the engine drops what is pending in a state that it imports.
    (file,) = (environment.instance.state_dir / "pulumi-state/.pulumi/stacks").rglob("local.json")
    stored = json.loads(file.read_text())
    latest = stored["checkpoint"]["latest"]
    latest["resources"] = [r for r in latest["resources"] if r["urn"] not in lost]
    latest["pending_operations"] = [{"type": "creating", "resource": begun}]
    file.write_text(json.dumps(stored))

    environment.up(Clock())
    found = environment.stack.export()["deployment"]
    (again,) = (r for r in found["resources"] if r["urn"] == mount["urn"])
    assert again["outputs"]["accessor"] == mount["outputs"]["accessor"]
    environment.stack.up("--expect-no-changes")


def with_dependents(urn: str, resources: list[dict[str, Any]]) -> set[str]:
    """`urn`, and every resource that cannot be in the state without it."""
    lost = {urn}
    for resource in resources:  # what is needed comes first
        needed = {resource.get("parent"), resource.get("deletedWith")}
        if lost & {*needed, *resource.get("dependencies", ())}:
            lost.add(resource["urn"])
    return lost


def test_vault_is_healthy_and_unsealed_by_its_key(
    environment: Environment, target: VaultTarget
) -> None:
    cluster = environment.cluster()
    asked = hvac.Client(url=cluster.vault_address, verify=str(cluster.vault_ca)).sys
    health = asked.read_health_status(method="GET")
    assert (health["initialized"], health["sealed"], health["standby"]) == (True, False, False)
    assert asked.read_seal_status()["type"] == "awskms"
    with operator_session(target, target.kubectl) as token:
        assert healthy(target, token) is None


def test_a_job_reads_its_secret_and_is_refused_another(environment: Environment) -> None:
    cluster = environment.cluster()
    cluster.ensure_example_secret()
    log = cluster.run_job(example_job(), Clock())
    assert "tracking at http://mlflow.ml-serving:5000" in log
    assert "fake-" not in log
    job = cluster.login("ml-training", "ml-app-sa", "ml-app")
    mount, path = SECRET
    assert job.secrets.kv.v2.read_secret_version(
        path=path, mount_point=mount, raise_on_deleted_version=True
    )["data"]["data"]["password"].startswith("fake-")
    with pytest.raises(hvac.exceptions.Forbidden):
        job.secrets.kv.v2.read_secret_version(
            path="ml/other", mount_point=mount, raise_on_deleted_version=True
        )


@pytest.mark.parametrize(
    ("namespace", "account", "audience"),
    [
        ("ml-training", "default", "vault"),
        ("vault", "default", "vault"),
        ("ml-training", "ml-app-sa", "somebody-else"),
    ],
    ids=["another account", "another namespace", "another audience"],
)
def test_nobody_else_logs_in_with_the_grant(
    environment: Environment, namespace: str, account: str, audience: str
) -> None:
    with pytest.raises((hvac.exceptions.Forbidden, hvac.exceptions.InvalidRequest)):
        environment.cluster().login(namespace, account, "ml-app", audience)
