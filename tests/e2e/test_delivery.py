"""Access and delivery on the real node: what a granted workload holds, and for how long.

Asserted from inside the pods and from PostgreSQL itself. The examples run as they stand in
`examples/`, but for the CSI one: its provider cannot be built here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import hvac
import psycopg
import pytest
from kubernetes import client

from local.environment import Environment
from local.progress import Clock
from local.services import postgresql
from local.services.postgresql import PostgresService
from local.workload import SECRET, WRITER, Cluster
from tests.e2e import outside
from tests.e2e.objects import Objects
from tests.e2e.outside import READER, TRAINER, connect, logins
from tests.e2e.workloads import Manifest, Workloads, eventually, example, with_script
from tests.vaultops.quorum import root_token
from vaultops.custody import InitRecord
from vaultops.state import observe
from vaultops.target import VaultTarget

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

READS_AND_TRIES_MORE = """\
psql -XAt -c "SELECT 'user ' || current_user"
psql -XAt -c "SELECT 'tls ' || ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
psql -XAt -c "SELECT 'experiments ' || count(*) FROM experiments"
psql -XAt -c "INSERT INTO experiments (name) VALUES ('fake')" 2>&1
psql -XAt "service=mlflow host=postgresql.mlflow" -c "SELECT 1" 2>&1
exit 0
"""
USES_IT_TO_ITS_END = """\
psql -XAt -c "SELECT pg_sleep(250)" 2>&1
psql -XAt -c "SELECT 1" 2>&1
exit 0
"""


@pytest.fixture(scope="module")
def cluster(environment: Environment) -> Cluster:
    cluster = environment.cluster()
    cluster.ensure_example_secret()
    return cluster


@pytest.fixture(scope="module")
def workloads(cluster: Cluster) -> Workloads:
    return Workloads(cluster)


@pytest.fixture(scope="module")
def database(environment: Environment) -> PostgresService:
    """The server that runs already."""
    return postgresql.start(environment.node, environment.instance)


@pytest.fixture
def quorum(environment: Environment, target: VaultTarget) -> Iterator[hvac.Client]:
    """Vault as the holders of the recovery shares reach it in an emergency."""
    record = InitRecord.from_json((environment.instance.state_dir / "vault-init.json").read_text())
    active = observe(target).active or 0
    with target.pod_client(active) as vault:
        token = root_token(vault, record)
    with target.pod_client(active, token) as vault:
        yield vault
        vault.auth.token.revoke_self()


def said(log: str, topic: str) -> str:
    (value,) = [
        line.removeprefix(f"{topic} ") for line in log.splitlines() if line.startswith(f"{topic} ")
    ]
    return value


def job(name: str) -> Manifest:
    return example(name)[-1]


def test_a_job_reads_its_secret_and_a_table_with_a_login_of_its_own(
    cluster: Cluster, database: PostgresService
) -> None:
    with database.connect_as_admin() as admin:
        counted = admin.execute("SELECT count(*) FROM experiments").fetchone()
    assert counted
    before = logins(database)
    log = cluster.run_job(job("training-job-database"), Clock())
    assert log.split()[:3] == ["count", "-------", str(counted[0])]
    (login,) = logins(database) - before
    assert login.startswith("v-ml-readonly-")


def test_the_login_reads_over_verified_tls_and_writes_nothing(
    cluster: Cluster, database: PostgresService
) -> None:
    tries = with_script(job("training-job-database"), "training-tries", READS_AND_TRIES_MORE)
    log = cluster.run_job(tries, Clock())
    login = said(log, "user")
    assert login in logins(database)
    assert said(log, "tls") == "true"
    assert said(log, "experiments").isdigit()
    assert "permission denied for table experiments" in log
    assert 'does not match host name "postgresql.mlflow"' in log
    with database.connect_as_admin() as admin:
        held = admin.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = %s ORDER BY 1",
            (login,),
        ).fetchall()
        power = admin.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolvaliduntil > now() FROM pg_roles"
            " WHERE rolname = %s",
            (login,),
        ).fetchone()
    assert held == [("experiments", "SELECT"), ("runs", "SELECT")]
    assert power == (False, False, False, True)


def other_account(job: Manifest) -> None:
    job["spec"]["template"]["spec"]["serviceAccountName"] = "ml-app-sa"


def other_namespace(job: Manifest) -> None:
    job["metadata"]["namespace"] = "ml-serving"


def other_audience(job: Manifest) -> None:
    (token,) = [v for v in job["spec"]["template"]["spec"]["volumes"] if v["name"] == "vault-token"]
    token["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "somebody-else"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_account, "service account name not authorized"),
        (other_namespace, "namespace not authorized"),
        (other_audience, "invalid audience"),
    ],
)
def test_the_same_job_elsewhere_gets_nothing(
    workloads: Workloads, database: PostgresService, change: Any, reason: str
) -> None:
    """The twin in another namespace even bears the granted account's name."""
    stranger = with_script(job("training-job-database"), "training-stranger", "exit 0")
    change(stranger)
    twin = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "ml-training-sa", "namespace": "ml-serving"},
        "automountServiceAccountToken": False,
    }
    before = logins(database)
    with workloads.applied(twin):
        log = workloads.refusal(stranger)
    assert "Code: 403" in log
    assert reason in log
    assert logins(database) == before


def test_a_revoked_lease_ends_the_login_that_a_pod_is_using(
    workloads: Workloads, database: PostgresService, quorum: hvac.Client
) -> None:
    user = with_script(job("training-job-database"), "training-revoked", USES_IT_TO_ITS_END)
    before = leases(quorum)
    made_before = logins(database)
    with workloads.applied(user):
        eventually(
            "the pod's login to be in use",
            lambda: None if in_use(database) - made_before else "no session of a new login",
        )
        (login,) = in_use(database) - made_before
        (lease,) = leases(quorum) - before
        quorum.sys.revoke_lease(f"{READER}/{lease}")
        eventually(
            "the job to end",
            lambda: None if workloads.phase(user) == "Succeeded" else workloads.phase(user),
        )
        (pod,) = workloads.pods(user)
        log = workloads.log(pod, "train")
        assert "terminating connection due to administrator command" in log
        assert f'password authentication failed for user "{login}"' in log
        assert login not in logins(database)


def leases(vault: hvac.Client) -> set[str]:
    try:
        return set(vault.sys.list_leases(READER)["data"]["keys"])
    except hvac.exceptions.InvalidPath:
        return set()


def in_use(database: PostgresService) -> set[str]:
    with database.connect_as_admin() as admin:
        rows = admin.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE usename ~ '^v-'")
        return {str(row[0]) for row in rows}


def test_a_login_ends_with_the_token_that_asked_for_it(
    cluster: Cluster, database: PostgresService
) -> None:
    vault = cluster.login(*TRAINER)
    lease = vault.read(READER)
    login = lease["data"]["username"]
    session = connect(database, lease)
    assert session.execute("SELECT count(*) FROM runs").fetchone()
    vault.auth.token.revoke_self()
    eventually(
        "the login to be dropped",
        lambda: f"{login} is there" if login in logins(database) else None,
    )
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(database, lease)


@pytest.fixture
def bucket(environment: Environment) -> Iterator[str]:
    """The granted bucket, with one object."""
    name, key = "ml-data", "fake.csv"
    owner = outside.aws(environment, "s3")
    constraint = {"LocationConstraint": "eu-central-1"}
    owner.create_bucket(Bucket=name, CreateBucketConfiguration=constraint)
    owner.put_object(Bucket=name, Key=key, Body=b"fake,data")
    yield name
    owner.delete_object(Bucket=name, Key=key)
    owner.delete_bucket(Bucket=name)


def test_cloud_credentials_read_the_granted_bucket_for_a_bounded_time(
    environment: Environment, cluster: Cluster, quorum: hvac.Client, bucket: str
) -> None:
    """moto enforces no IAM policy: these credentials would open any bucket of it.

    So what they may do is read from the role, whose document is the session policy that Vault
    gives to STS; that AWS keeps to a session policy is AWS's matter.
    """
    place = {"region_name": "eu-central-1", "endpoint_url": outside.aws_endpoint(environment)}
    lease = cluster.login("ml-training", "ml-app-sa", "ml-app").read("aws/creds/ml-s3-access")
    assert 0 < lease["lease_duration"] <= 3600
    session = boto3.Session(
        aws_access_key_id=lease["data"]["access_key"],
        aws_secret_access_key=lease["data"]["secret_key"],
        aws_session_token=lease["data"]["security_token"],
    )
    who = session.client("sts", **place).get_caller_identity()["Arn"]
    assert ":assumed-role/ml-s3-access/" in who
    read = session.client("s3", **place).get_object(Bucket=bucket, Key="fake.csv")
    assert read["Body"].read() == b"fake,data"

    role = quorum.read("aws/roles/ml-s3-access")["data"]
    assert role["credential_type"] == "assumed_role"
    assert role["role_arns"] == ["arn:aws:iam::123456789012:role/ml-s3-access"]
    statements = json.loads(role["policy_document"])["Statement"]
    assert {(s["Effect"], a) for s in statements for a in s["Action"]} == {
        ("Allow", "s3:ListBucket"),
        ("Allow", "s3:GetObject"),
    }
    resources = {resource for s in statements for resource in s["Resource"]}
    assert resources == {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"}
    with pytest.raises(hvac.exceptions.Forbidden):
        cluster.login(*TRAINER).read("aws/creds/ml-s3-access")


@contextmanager
def changed_secret(cluster: Cluster, **values: str) -> Iterator[None]:
    """The example's secret with other values; as it was, afterwards."""
    mount, path = SECRET
    versions = cluster.login(*WRITER).secrets.kv.v2
    place = {"path": path, "mount_point": mount}
    before = versions.read_secret_version(**place, raise_on_deleted_version=True)["data"]["data"]
    versions.patch(**place, secret=values)
    try:
        yield
    finally:
        versions.create_or_update_secret(**place, secret=before)


def test_a_server_takes_over_a_changed_secret_without_a_restart(
    cluster: Cluster, workloads: Workloads, database: PostgresService
) -> None:
    (serving,) = example("serving")
    before = logins(database)
    with workloads.applied(serving):
        pods = workloads.wait_until_ready(serving)
        workloads.wait_for_line(serving, "tracking at http://mlflow.ml-serving:5000")
        assert len(pods) == 2
        made = logins_of_agents(database, before, pods=2)
        uri = f"http://mlflow.ml-serving:5000/fake-{secrets.token_hex(4)}"
        with changed_secret(cluster, tracking_uri=uri):
            # Vault's own interval is five minutes, the annotation's half of one.
            workloads.wait_for_line(serving, f"tracking at {uri}", seconds=120)
        assert lives(workloads.pods(serving)) == lives(pods)
    await_end_of_sidecars(database, made, pods=2)


def logins_of_agents(database: PostgresService, before: set[str], *, pods: int) -> set[str]:
    """What the pods' agents have made: an init container's login and a sidecar's for each."""
    eventually(
        f"two logins for each of {pods} pods",
        lambda: (
            None
            if len(logins(database) - before) == 2 * pods
            else f"{len(logins(database) - before)} were made"
        ),
    )
    return logins(database) - before


def await_end_of_sidecars(database: PostgresService, made: set[str], *, pods: int) -> None:
    """Until the sidecars' logins are gone; the init containers' end with their leases."""
    eventually(
        "the sidecars' logins to end with their pods",
        lambda: (
            None
            if len(made & logins(database)) == pods
            else f"{len(made & logins(database))} of {len(made)} are left"
        ),
    )


def lives(pods: list[client.V1Pod]) -> set[tuple[str, tuple[tuple[str, int], ...]]]:
    """Each pod with how often its containers were started again."""
    return {
        (
            pod.metadata.uid,
            tuple((s.name, s.restart_count) for s in pod.status.container_statuses),
        )
        for pod in pods
    }


def test_a_notebook_has_a_login_that_ends_with_it(
    workloads: Workloads, database: PostgresService
) -> None:
    service, notebook = example("notebook")
    before = logins(database)
    with workloads.applied(service, notebook):
        workloads.wait_until_ready(notebook)
        workloads.wait_for_line(notebook, "login read")
        made = logins_of_agents(database, before, pods=1)
    await_end_of_sidecars(database, made, pods=1)
    client.CoreV1Api(workloads.cluster.api()).delete_namespaced_persistent_volume_claim(
        "work-notebook-0", "ml-training"
    )


def test_an_agent_as_a_plain_init_container(cluster: Cluster, workloads: Workloads) -> None:
    config, job = example("init-container")
    with workloads.applied(config):
        log = cluster.run_job(job, Clock())
    assert "tracking at http://mlflow.ml-serving:5000, password of " in log
    assert "fake-" not in log


def test_a_secret_that_the_operator_copies_is_a_file_of_the_pod(
    cluster: Cluster, workloads: Workloads
) -> None:
    mount, path = SECRET
    kept = cluster.login(*WRITER).secrets.kv.v2.read_secret_version(
        path=path, mount_point=mount, raise_on_deleted_version=True
    )["data"]["data"]
    *before, serving = example("external-secrets")
    with workloads.applied(*before, serving):
        Objects(cluster.api()).wait_for_secret(
            "ml-serving", "mlflow-credentials", {"password": kept["password"]}
        )
        workloads.wait_until_ready(serving)
        workloads.wait_for_line(serving, "secret read")
