"""Rotations of the real environment: by the cluster's own job, and under a client that never rests.

The consumer is a Deployment like the serving example's: its agent writes the published login into a
file and signals the program, which opens a session by it and closes the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from local.environment import Environment
from local.progress import Clock
from local.services import postgresql
from local.services.postgresql import PostgresService
from local.workload import Cluster
from tests.e2e.killing_rotator import ROTATIONS
from tests.e2e.published_login import connect, reconnecting
from tests.e2e.rotations import (
    CREDENTIAL,
    READER,
    followed_by,
    job,
    published,
    rotated,
    signed_lines,
)
from tests.e2e.test_delivery import lives
from tests.e2e.waiting import wait_until
from tests.e2e.workloads import Manifest, Workloads, example

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

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
    """The stack with the workload followed. Yields the runs that the clock has ended before."""
    consumer = {"namespace": "ml-serving", "workload": "deployment/tracking", "reload": "signal"}
    with followed_by(environment, consumer):
        yield finished(environment.cluster())


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
    container["image"] = "strongroom.local/psql:1"
    container["args"] = [_PROGRAM, "model-server"]
    container["env"] = [{"name": "PGSERVICEFILE", "value": "/vault/secrets/database-url"}]
    return deployment


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
    told = rotated(cluster, "rotate-now", "vault-database", "--now")
    assert (told["rotation"], told["result"]) == ("vault-database", "finished")
    # Vault's new password works: it makes a login with it.
    assert cluster.login(*READER).read("database/creds/ml-readonly")["data"]["username"]


def test_no_login_fails_and_no_pod_restarts_in_twenty_rotations(
    environment: Environment, database: PostgresService
) -> None:
    """Each is killed at another step, before or after that was noted, and gone on with."""
    cluster, workload = environment.cluster(), consumer()
    workloads = Workloads(cluster)
    reader = cluster.login(*READER)
    first = published(reader)["username"]
    with workloads.applied(workload):
        pods = workloads.wait_until_ready(workload)
        wait_until("the program's session", lambda: sessions(database) == {first})
        with reconnecting(database, lambda: published(reader)) as seen:
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
    current = published(environment.cluster().login(*READER))
    with connect(database, current) as session:
        assert session.execute("SELECT count(*) FROM experiments").fetchone() is not None
    for user in {"mlflow", "mlflow_clone"} - {current["username"]}:
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(database, current, user=user)
    first = database.application_password_file.read_text()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(database, {**current, "username": "mlflow", "password": first})


def finished(cluster: Cluster) -> set[str]:
    """The runs of the credential that have come to their end."""
    return {line["run"] for line in signed_lines(cluster) if line["event"] == "finished"}


def test_every_rotation_left_signed_lines_and_a_second_up_changes_nothing(
    environment: Environment, earlier: set[str]
) -> None:
    runs = finished(environment.cluster()) - earlier
    assert len(runs) == ROTATIONS, "a line may come twice after a kill, a run not"
    environment.stack.up("--expect-no-changes")
