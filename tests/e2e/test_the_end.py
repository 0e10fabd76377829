"""The end of the environment: everything lost and restored from a snapshot, then destroyed.

These tests leave a platform behind that others could not use; they run last by their file's name.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import hvac
import psycopg
import pytest
import requests
from kubernetes import client

from benchmarks.servers import NAMESPACE, Servers
from local.environment import Environment
from local.node.layout import Layout
from local.progress import Clock
from local.services import postgresql
from local.workload import CANARY, WRITER, Cluster
from tests.e2e import outside
from tests.e2e.objects import Objects
from tests.e2e.waiting import wait_until
from tests.vaultops.quorum import root_token
from vaultops import snapshot
from vaultops.custody import InitRecord
from vaultops.state import BootstrapState, observe
from vaultops.target import VaultTarget
from vaultops.upgrade import KubernetesPods

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


def write_canary(cluster: Cluster) -> str:
    mount, path = CANARY
    value = f"fake-canary-{secrets.token_hex(8)}"
    cluster.login(*WRITER).secrets.kv.v2.create_or_update_secret(
        path=path, mount_point=mount, secret={"canary": value}
    )
    return value


def read_canary(cluster: Cluster) -> str:
    mount, path = CANARY
    read = cluster.login(*WRITER).secrets.kv.v2.read_secret_version(
        path=path, mount_point=mount, raise_on_deleted_version=True
    )
    value: str = read["data"]["data"]["canary"]
    return value


def answers(cluster: Cluster) -> bool:
    """Whether the active server can be reached from outside the cluster."""
    try:
        hvac.Client(
            url=cluster.vault_address, verify=str(cluster.vault_ca)
        ).sys.read_leader_status()
    except requests.exceptions.ConnectionError:
        return False
    return True


def run_snapshot_job(cluster: Cluster) -> str:
    """What `kubectl create job --from=cronjob/vault-snapshots` does; returns the job's words."""
    api = cluster.api()
    scheduled = client.BatchV1Api(api).read_namespaced_cron_job("vault-snapshots", NAMESPACE)
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": scheduled.metadata.name,
        "uid": scheduled.metadata.uid,
        "controller": True,
    }
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "snapshot-now",
            "namespace": NAMESPACE,
            "ownerReferences": [owner],
        },
        "spec": api.sanitize_for_serialization(scheduled.spec.job_template.spec),
    }
    return cluster.run_job(manifest, Clock())


def lose_everything(cluster: Cluster) -> None:
    """Delete every server with its volumes."""
    core, servers = client.CoreV1Api(cluster.api()), Servers(cluster)
    for claim in core.list_namespaced_persistent_volume_claim(
        NAMESPACE, label_selector="component=server"
    ).items:
        core.delete_namespaced_persistent_volume_claim(claim.metadata.name, NAMESPACE)
    before = servers.pods()
    servers.delete(*before)


def test_the_scheduled_snapshot_brings_everything_back(
    environment: Environment, target: VaultTarget
) -> None:
    cluster = environment.cluster()
    canary = write_canary(cluster)
    said = run_snapshot_job(cluster)
    assert "saved vault-" in said
    assert "verified" in said
    files = sorted(Layout(environment.instance).volumes.glob("*/vault-*.snap"))
    found = snapshot.verify(files[-1])
    assert found.size > 10_000

    volumes = client.CoreV1Api(cluster.api()).list_persistent_volume().items
    assert len([v for v in volumes if "data-vault-" in v.spec.claim_ref.name]) == 3
    lose_everything(cluster)
    wait_until(
        "the new servers to be there, uninitialised",
        lambda: (
            observe(target).state is BootstrapState.UNINITIALISED
            and all(replica.answers for replica in observe(target).replicas)
        ),
    )
    bootstraps = [
        resource["urn"]
        for resource in environment.stack.export()["deployment"]["resources"]
        if resource["type"].endswith("strongroom:VaultBootstrap")
    ]
    assert len(bootstraps) == 1
    environment.stack.refresh(*bootstraps)
    environment.stack.up()

    custody = environment.instance.state_dir / "vault-init.json"
    record = InitRecord.from_json(custody.read_text())
    assert len(list(custody.parent.glob("vault-init*"))) == 2, "the older shares must be kept"
    with target.pod_client(observe(target).active or 0) as vault:
        token = root_token(vault, record)
    pods = KubernetesPods(target.kubectl)
    snapshot.restore(
        target,
        token,
        files[-1],
        restart=lambda: pods.restart(target.replicas),
        unserved=lambda: pods.unserved(target.replicas),
    )
    assert pods.unserved(target.replicas) is None
    (older,) = set(custody.parent.glob("vault-init*")) - {custody}
    older.replace(custody)  # the runbook's last step: the snapshot's shares are the valid ones

    wait_until("this machine's way to the Service to follow", lambda: answers(cluster))
    assert read_canary(cluster) == canary
    environment.stack.up("--expect-no-changes")


def cluster_wide(cluster: Cluster) -> list[str]:
    """What the charts put beside namespaces: types, webhooks, cluster roles and their bindings."""
    hooks = client.AdmissionregistrationV1Api(cluster.api())
    roles = client.RbacAuthorizationV1Api(cluster.api())
    found = [
        *client.ApiextensionsV1Api(cluster.api()).list_custom_resource_definition().items,
        *hooks.list_mutating_webhook_configuration().items,
        *hooks.list_validating_webhook_configuration().items,
    ]
    # The cluster has roles of its own; of the charts' each name has one of these words.
    for role in [*roles.list_cluster_role().items, *roles.list_cluster_role_binding().items]:
        if any(word in role.metadata.name for word in ("vault", "secrets")):
            found.append(role)
    return sorted(item.metadata.name for item in found)


def leave_a_sealed_secret(cluster: Cluster) -> None:
    """What somebody made besides the stack: its type goes with the stack, and it with its type."""
    Objects(cluster.api()).apply(
        {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": {"name": "left-behind", "namespace": "ml-training"},
            "spec": {"encryptedData": {"a": "ZmFrZQ=="}},
        }
    )


def make_iam_user(environment: Environment, target: VaultTarget) -> None:
    """Let Vault make an IAM user for a lease; the stack's own roles assume one instead.

    With a root token that stays: the lease must not end before the platform does.
    """
    record = InitRecord.from_json((environment.instance.state_dir / "vault-init.json").read_text())
    active = observe(target).active or 0
    with target.pod_client(active) as vault:
        token = root_token(vault, record)
    with target.pod_client(active, token) as vault:
        nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [nothing]})
        role = {"credential_type": "iam_user", "policy_document": policy}
        vault.write_data("aws/roles/fake-user", data=role)
        vault.read("aws/creds/fake-user")


def test_destroy_leaves_nothing_in_cluster_or_state(
    environment: Environment, target: VaultTarget
) -> None:
    cluster = environment.cluster()
    database = postgresql.start(environment.node, environment.instance)
    session = outside.connect(database, cluster.login(*outside.TRAINER).read(outside.READER))
    make_iam_user(environment, target)
    assert len(outside.iam_users(environment)) == 1
    leave_a_sealed_secret(cluster)
    before = cluster_wide(cluster)
    for part in ("external-secrets-controller", "externalsecret-validate", "sealedsecrets.bitnami"):
        assert any(name.startswith(part) for name in before), f"{part} in {before}"
    environment.stack.destroy()
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    assert outside.roles(database) - {"mlflow_application", "mlflow_clone"} == {
        *("strongroom_admin", "mlflow_owner", "vault"),  # the database's own
        *("mlflow", "rotation"),  # rotations may have made the two above of `mlflow`
    }
    assert outside.iam_users(environment) == []
    assert environment.stack.export()["deployment"].get("resources", []) == []
    core = client.CoreV1Api(cluster.api())
    left = {namespace.metadata.name for namespace in core.list_namespace().items}
    # `mlflow` is the node's: the name of the database that stands beside the cluster.
    assert left == {"default", "kube-node-lease", "kube-public", "kube-system", "mlflow"}
    wait_until("all volumes to be removed", lambda: not core.list_persistent_volume().items)
    assert not list(Path(Layout(environment.instance).volumes).iterdir())
    assert cluster_wide(cluster) == []
    assert json.dumps(environment.stack.outputs()) == "{}"


def test_what_was_destroyed_is_made_anew_beside_the_same_database(
    environment: Environment,
) -> None:
    environment.up(Clock())
    assert environment.cluster().login(*outside.TRAINER).read(outside.READER)
