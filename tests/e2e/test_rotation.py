"""Rotations of the real environment: by the cluster's own job, and under a client that never rests.

The consumer is a Deployment like the serving example's: its agent writes the published login into a
file and signals the program, which opens a session by it and closes the one before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import hvac
import psycopg
import pytest
import yaml
from kubernetes import client

from local.environment import Environment
from local.progress import Clock
from local.services import postgresql
from local.services.postgresql import PostgresService
from local.workload import DATABASE_SECRET, Cluster
from tests.e2e.instances import deployed_with
from tests.e2e.killing_rotator import ROTATIONS
from tests.e2e.published_login import Login, connect, reconnecting
from tests.e2e.test_delivery import lives
from tests.e2e.waiting import wait_until
from tests.e2e.workloads import Manifest, Workloads, example

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

IDENTITY = "strongroom-rotation"
CREDENTIAL = "mlflow-database"
READER = ("ml-serving", "ml-serving-sa", "ml-serving")
KILLER = Path(__file__).with_name("killing_rotator.py")
_URL = "vault.hashicorp.com/agent-inject-{}-database-url"
_PROGRAM = """\
load() {
  before=$session
  sleep 86400 | psql service=mlflow -qAt -c "SELECT session_user" -f - &
  session=$!
  [ -z "$before" ] || kill "$before"
}
trap load HUP
load
while :; do sleep 3600 & wait $!; done
"""
# libpq's own file, so that the password is on no command line.
_TEMPLATE = """\
{{- with secret "secret/data/ml/mlflow-database" -}}
[mlflow]
host={{ .Data.data.host }}
port={{ .Data.data.port }}
dbname={{ .Data.data.dbname }}
user={{ .Data.data.username }}
password={{ .Data.data.password }}
sslmode=verify-full
sslrootcert=/etc/postgresql-ca/ca.crt
{{ end -}}
"""


@pytest.fixture(scope="module", autouse=True)
def earlier(environment: Environment) -> Iterator[set[str]]:
    """The stack, in which a workload is followed and no rotation begins by the clock.

    Yields the runs that the clock has begun before.
    """
    with deployed_with(environment, with_consumer(environment)):
        cluster = environment.cluster()
        jobs = client.BatchV1Api(cluster.api())
        wait_until(
            "a rotation that the clock has begun to end",
            lambda: not jobs.read_namespaced_cron_job(IDENTITY, "vault").status.active,
        )
        yield finished(cluster)


@pytest.fixture
def database(environment: Environment) -> PostgresService:
    return postgresql.start(environment.node, environment.instance)


def consumer() -> Manifest:
    """The serving example, with the application's own login in place of the leased one."""
    (deployment,) = example("serving")
    deployment["metadata"]["name"] = "tracking"
    deployment["spec"]["replicas"] = 1
    deployment["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "tracking"}
    template = deployment["spec"]["template"]
    template["metadata"]["labels"] = {"app.kubernetes.io/name": "tracking"}
    annotations = template["metadata"]["annotations"]
    for part in ("secret", "perms", "command", "template"):
        del annotations[f"vault.hashicorp.com/agent-inject-{part}-mlflow"]
    annotations[_URL.format("secret")] = "secret/data/ml/mlflow-database"
    annotations[_URL.format("template")] = _TEMPLATE
    annotations["vault.hashicorp.com/template-static-secret-render-interval"] = "2s"
    (container,) = template["spec"]["containers"]
    container["image"] = "strongroom.local/psql:15"
    container["args"] = [_PROGRAM, "model-server"]
    container["env"] = [{"name": "PGSERVICEFILE", "value": "/vault/secrets/database-url"}]
    return deployment


def with_consumer(environment: Environment) -> dict[str, Any]:
    """The stack's rotations, begun by tests alone, of which one follows the Deployment above."""
    stack = yaml.safe_load(environment.stack.config_file.read_text())
    rotation: dict[str, Any] = stack["config"]["strongroom:rotation"]
    rotation["job"]["schedule"] = "0 0 29 2 *"
    for credential in rotation["credentials"]:
        if credential["name"] == CREDENTIAL:
            credential["consumers"] = [
                {"namespace": "ml-serving", "workload": "deployment/tracking", "reload": "signal"}
            ]
    return {"strongroom:rotation": rotation}


def job(cluster: Cluster, name: str, *arguments: str, program: str | None = None) -> Manifest:
    """The CronJob's pod, at once instead of at its time; `program` runs it, when given."""
    found = client.BatchV1Api(cluster.api()).read_namespaced_cron_job(IDENTITY, "vault")
    manifest: Manifest = cluster.api().sanitize_for_serialization(found.spec.job_template)
    manifest |= {"apiVersion": "batch/v1", "kind": "Job"}
    manifest["metadata"] |= {"name": name, "namespace": "vault"}
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["args"] += arguments
    if program:
        container["command"] = ["python3", "-c", program]
    return manifest


def published(cluster: Cluster) -> Login:
    """The login that the application has now."""
    return published_to(cluster.login(*READER))


def published_to(reader: hvac.Client) -> Login:
    mount, path = DATABASE_SECRET
    found: Login = reader.secrets.kv.v2.read_secret_version(
        path=path, mount_point=mount, raise_on_deleted_version=True
    )["data"]["data"]
    return found


def sessions(database: PostgresService) -> set[str]:
    """Who of the application has a session."""
    with database.connect_as_admin() as admin:
        rows = admin.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity "
            "WHERE usename LIKE 'mlflow%' AND application_name = 'psql'"
        )
        return {row[0] for row in rows}


def test_the_clusters_own_job_rotates(environment: Environment) -> None:
    cluster = environment.cluster()
    now = job(cluster, "rotate-now", "vault-database", "--now", "--json")
    said = cluster.run_job(now, Clock())
    (told,) = json.loads(said[said.index("[\n") :])
    assert (told["rotation"], told["result"]) == ("vault-database", "finished")
    # Vault's new password works: it makes a login with it.
    assert cluster.login(*READER).read("database/creds/ml-readonly")["data"]["username"]


def test_no_login_fails_and_no_pod_restarts_in_twenty_rotations(
    environment: Environment, database: PostgresService
) -> None:
    """Each is killed at another step, before or after that was noted, and gone on with."""
    cluster, workload = environment.cluster(), consumer()
    workloads = Workloads(cluster)
    first = published(cluster)["username"]
    with workloads.applied(workload):
        pods = workloads.wait_until_ready(workload)
        wait_until("the program's session", lambda: sessions(database) == {first}, 60)
        reader = cluster.login(*READER)
        with reconnecting(database, lambda: published_to(reader)) as seen:
            driver = job(cluster, "rotate-often", CREDENTIAL, program=KILLER.read_text())
            said = cluster.run_job(driver, Clock(), deadline=600)
        assert said.splitlines()[-1] == f"{ROTATIONS} rotations, {ROTATIONS} kills"
        assert lives(workloads.pods(workload)) == lives(pods)
        connected_by = workloads.log(pods[0], "serve").splitlines()
    assert seen.failures == []
    assert seen.logins > 20 * ROTATIONS
    assert len(seen.users) == ROTATIONS + 1
    assert all(before != after for before, after in pairwise(seen.users))
    # The program itself tells by whom it was connected, one rotation after the other.
    assert connected_by == seen.users
    print(f"{seen.logins} logins, {seen.rate:.0f} a second, {ROTATIONS} rotations, 0 failed")


def test_only_the_published_login_works_afterwards(
    environment: Environment, database: PostgresService
) -> None:
    current = published(environment.cluster())
    with connect(database, current) as session:
        assert session.execute("SELECT count(*) FROM experiments").fetchone() is not None
    for user in {"mlflow", "mlflow_clone"} - {current["username"]}:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(database, current, user=user)
    first = database.application_password_file.read_text()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(database, {**current, "username": "mlflow", "password": first})


def finished(cluster: Cluster) -> set[str]:
    """The runs of the credential that have come to their end, by the rotator's signed lines."""
    status = job(cluster, "rotate-status", program="from cli.rotator import app; app()")
    (container,) = status["spec"]["template"]["spec"]["containers"]
    container["args"] = ["rotate", "events", *container["args"]]
    lines = [json.loads(line) for line in cluster.run_job(status, Clock()).splitlines()]
    return {
        line["run"]
        for line in lines
        if (line["event"], line["rotation"]) == ("finished", CREDENTIAL)
    }


def test_every_rotation_left_signed_lines_and_a_second_up_changes_nothing(
    environment: Environment, earlier: set[str]
) -> None:
    runs = finished(environment.cluster()) - earlier
    assert len(runs) == ROTATIONS, "a line may come twice after a kill, a run not"
    environment.stack.up("--expect-no-changes")
