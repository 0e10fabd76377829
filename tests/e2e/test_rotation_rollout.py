"""A rotation that starts a rollout once External Secrets has copied the login, really.

The consumer takes the application's login from a Secret and reads it when it starts. The operator
copies it once an hour, so the rotation has to wait until the test asks for the copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
import yaml
from kubernetes import client

from local.environment import Environment
from local.services import postgresql
from local.services.postgresql import PostgresService
from local.workload import Cluster
from tests.e2e.published_login import Login, connect, reconnecting
from tests.e2e.rotations import (
    CREDENTIAL,
    IDENTITY,
    READER,
    followed_by,
    published,
    rotated,
    signed_lines,
)
from tests.e2e.waiting import wait_until
from tests.e2e.workloads import Manifest, Workloads, example

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

NAMESPACE = "ml-serving"
WORKLOAD = "tracking-rollout"
SECRET = "tracking-login"
ANNOTATION = "strongroom.dev/rotation"
_SERVICE = """\
[mlflow]
host={{ .host }}
port={{ .port }}
dbname={{ .dbname }}
user={{ .username }}
password={{ .password }}
sslmode=verify-full
sslrootcert=/etc/postgresql-ca/ca.crt
application_name=tracking-rollout
"""
# The shell does not end when it is told to, so that an old pod stays for a while.
_PROGRAM = """\
sleep 86400 | psql service=mlflow -qAt -c "SELECT session_user" -f - &
while :; do wait; done
"""


@pytest.fixture(scope="module", autouse=True)
def followed(environment: Environment) -> Iterator[None]:
    """The stack with the workload followed, and rolled out after its Secret."""
    config = yaml.safe_load(environment.stack.config_file.read_text())["config"]
    copied = {
        "name": SECRET,
        "namespace": NAMESPACE,
        "store": "vault-shared",
        "refresh": "1h",
        "extract": ["secret/ml/mlflow-database"],
        "template": {"service": _SERVICE},
    }
    secrets = [*config["strongroom:externalSecrets"]["secrets"], copied]
    consumer = {
        "namespace": NAMESPACE,
        "workload": f"deployment/{WORKLOAD}",
        "reload": "rollout",
        "waitsFor": SECRET,
    }
    with followed_by(environment, consumer, externalSecrets={"secrets": secrets}):
        yield


@pytest.fixture
def cluster(environment: Environment) -> Cluster:
    return environment.cluster()


@pytest.fixture
def database(environment: Environment) -> PostgresService:
    return postgresql.start(environment.node, environment.instance)


def consumer() -> Manifest:
    """The example for External Secrets, with the application's login and a session by it."""
    deployment = example("external-secrets")[-1]
    deployment["metadata"]["name"] = WORKLOAD
    deployment["spec"]["replicas"] = 2
    deployment["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": WORKLOAD}
    deployment["spec"]["template"]["metadata"]["labels"] = {"app.kubernetes.io/name": WORKLOAD}
    pod = deployment["spec"]["template"]["spec"]
    pod["terminationGracePeriodSeconds"] = 5
    (container,) = pod["containers"]
    container["image"] = "strongroom.local/psql:1"
    container["args"] = [_PROGRAM]
    container["env"] = [{"name": "PGSERVICEFILE", "value": "/secrets/service"}]
    authority = {"name": "postgresql-ca", "mountPath": "/etc/postgresql-ca", "readOnly": True}
    container["volumeMounts"].append(authority)
    (secrets,) = pod["volumes"]
    secrets["secret"]["secretName"] = SECRET
    pod["volumes"].append({"name": "postgresql-ca", "configMap": {"name": "postgresql-ca"}})
    return deployment


def copy_now(cluster: Cluster) -> None:
    """Have the operator copy the login, in a second that has not yet begun."""
    api = client.CustomObjectsApi(cluster.api())
    place = ("external-secrets.io", "v1", NAMESPACE, "externalsecrets", SECRET)
    began = datetime.now(UTC)

    def copied() -> bool:
        asked = {"force-sync": datetime.now(UTC).isoformat()}
        found = api.patch_namespaced_custom_object(*place, {"metadata": {"annotations": asked}})
        return datetime.fromisoformat(found["status"]["refreshTime"]) > began

    wait_until(f"ExternalSecret {SECRET} to be refreshed", copied)


def sessions(database: PostgresService) -> dict[str, str]:
    """Who has a session of the workload, by the address of the pod."""
    with database.connect_as_admin() as admin:
        rows = admin.execute(
            "SELECT host(client_addr), usename FROM pg_stat_activity WHERE application_name = %s",
            [WORKLOAD],
        )
        return dict(rows.fetchall())


def lets_in(database: PostgresService, login: Login) -> bool:
    try:
        connect(database, login).close()
    except psycopg.OperationalError as refused:
        if "authentication failed" not in str(refused):
            raise
        return False
    return True


def at_work(pods: Iterable[client.V1Pod]) -> set[str]:
    """The pods with a program; one whose containers have ended is still listed for a moment."""
    return {pod.metadata.name for pod in pods if pod.status.phase not in ("Succeeded", "Failed")}


def template_run(cluster: Cluster) -> str | None:
    """The run that the Deployment's template names."""
    found = client.AppsV1Api(cluster.api()).read_namespaced_deployment(WORKLOAD, NAMESPACE)
    return (found.spec.template.metadata.annotations or {}).get(ANNOTATION)


def test_a_rollout_follows_the_copy_and_the_old_login_ends_after_the_last_old_pod(
    environment: Environment, cluster: Cluster, database: PostgresService
) -> None:
    workload, workloads = consumer(), Workloads(cluster)
    reader = cluster.login(*READER)
    old = published(reader)
    with workloads.applied(workload):
        before = workloads.wait_until_ready(workload)
        using_old = {pod.status.pod_ip: old["username"] for pod in before}
        wait_until("a session of each pod", lambda: sessions(database) == using_old)

        with reconnecting(database, lambda: published(reader)) as seen:
            assert rotated(cluster, "rotate-begin", CREDENTIAL, "--now")["result"] == "waits"
            new = published(reader)
            assert new["username"] != old["username"]
            # The Secret has the old login: a pod made of it now would start with that.
            assert template_run(cluster) is None
            found = sessions(database)  # the first rotation of all renames their user
            assert found.keys() == using_old.keys()
            assert new["username"] not in found.values()
            assert lets_in(database, old)

            copy_now(cluster)
            with ThreadPoolExecutor(1) as pool:
                rest = pool.submit(rotated, cluster, "rotate-go-on", CREDENTIAL, "--wait", "120")
                wait_until(
                    "the old login to be refused",
                    lambda: rest.done() or not lets_in(database, old),
                )
                left = at_work(workloads.pods(workload))
            assert rest.result()["result"] == "finished"
        assert not lets_in(database, old)
        assert left.isdisjoint(pod.metadata.name for pod in before)

        after = workloads.wait_until_ready(workload)
        using_new = {pod.status.pod_ip: new["username"] for pod in after}
        wait_until("a session of each new pod", lambda: sessions(database) == using_new)
        workloads.wait_for_line(workload, new["username"])  # it is said after the session began
        for pod in after:
            assert workloads.log(pod, "serve").splitlines() == [new["username"]]
        lines = signed_lines(cluster)
        told = [line for line in lines if line["run"] == lines[-1]["run"]]
        assert template_run(cluster) == told[-1]["run"]
        environment.stack.up("--expect-no-changes")
    assert seen.failures == []
    assert seen.users == [old["username"], new["username"]]
    assert [(line["event"], line["step"]) for line in told] == [
        ("began", ""),
        ("step-done", "choose"),
        ("step-done", "publish"),
        ("waits", "await-consumers"),
        ("step-done", "await-consumers"),
        ("step-done", "revoke"),
        ("finished", ""),
    ]
    assert told[3]["why"].startswith(f"ExternalSecret {NAMESPACE}/{SECRET} was not refreshed")
    assert told[4]["facts"] == {"pods-moved": "2"}


def test_the_rotator_may_roll_out_that_workload_and_see_that_copy_only(cluster: Cluster) -> None:
    def may(verb: str, group: str, resource: str, name: str) -> bool:
        review = client.V1SubjectAccessReview(
            spec=client.V1SubjectAccessReviewSpec(
                user=f"system:serviceaccount:vault:{IDENTITY}",
                groups=["system:serviceaccounts", "system:authenticated"],
                resource_attributes=client.V1ResourceAttributes(
                    verb=verb, group=group, resource=resource, namespace=NAMESPACE, name=name
                ),
            )
        )
        answer = client.AuthorizationV1Api(cluster.api()).create_subject_access_review(review)
        return bool(answer.status.allowed)

    assert may("patch", "apps", "deployments", WORKLOAD)
    assert not may("patch", "apps", "deployments", "serving")
    assert not may("delete", "apps", "deployments", WORKLOAD)
    operator = "external-secrets.io"
    assert may("get", operator, "externalsecrets", SECRET)
    assert not may("get", operator, "externalsecrets", "mlflow-credentials")
    assert not may("patch", operator, "externalsecrets", SECRET)
    assert not may("get", "", "secrets", SECRET)
