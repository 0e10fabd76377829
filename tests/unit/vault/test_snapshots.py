"""What the snapshot component asks for: a narrow identity, restricted pods, an alarm."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from access.policy_hcl import parse
from components.vault.pod_values import Image
from components.vault.snapshot_destinations import Destination, ToGcs, ToS3, ToVolume
from components.vault.snapshots import SnapshotJob, SnapshotJobArgs
from tests.unit.support.monitor import Deployment, deploy

CRON_JOB = "kubernetes:batch/v1:CronJob"
DESTINATIONS: dict[str, Destination] = {
    "volume": ToVolume(size="10Gi", retain=7, protect=True),
    "s3": ToS3(
        bucket="example-snapshots",
        region="eu-central-1",
        role="arn:aws:iam::123456789012:role/example",
    ),
    "gcs": ToGcs(bucket="example-snapshots", service_account="example@example.invalid"),
}


def arguments(destination: Destination, **changes: Any) -> SnapshotJobArgs:
    given: dict[str, Any] = {
        "namespace": "vault",
        "image": Image(repository="hashicorp/vault", tag="1.21.0"),
        "auth_path": "kubernetes",
        "schedule": "0 */6 * * *",
        "max_age_seconds": 43_200,
        "destination": destination,
    }
    return SnapshotJobArgs(**(given | changes))


def run(name: str, *, preview: bool = False) -> Deployment:
    def program() -> None:
        job = SnapshotJob("snapshots", arguments(DESTINATIONS[name]))
        pulumi.export("cron_job", job.cron_job)

    return deploy(program, preview=preview)


def pods(deployed: Deployment) -> dict[str, dict[str, Any]]:
    return {
        r.inputs["metadata"]["name"]: r.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for r in deployed.of_type(CRON_JOB)
    }


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
@pytest.mark.parametrize("name", DESTINATIONS)
def test_the_tree_is_as_pinned(name: str, preview: bool) -> None:
    volume = ["  kubernetes:core/v1:PersistentVolumeClaim snapshots-volume"]
    assert run(name, preview=preview).tree() == [
        "strongroom:vault:Snapshots snapshots",
        f"  {CRON_JOB} snapshots-check",
        f"  {CRON_JOB} snapshots-save",
        *(volume if name == "volume" else []),
        "  kubernetes:core/v1:ServiceAccount snapshots-account",
        "  vault:index/policy:Policy snapshots-policy",
        "  vault:kubernetes/authBackendRole:AuthBackendRole snapshots-role",
    ]


def test_the_identity_may_read_the_snapshot_and_nothing_else() -> None:
    deployed = run("volume")
    policy = deployed.one("vault:index/policy:Policy").inputs
    (rule,) = parse(policy["policy"], policy["name"]).rules
    assert (rule.path, set(rule.capabilities)) == ("sys/storage/raft/snapshot", {"read"})
    role = deployed.one("vault:kubernetes/authBackendRole:AuthBackendRole").inputs
    assert role["boundServiceAccountNames"] == ["strongroom-snapshots"]
    assert role["boundServiceAccountNamespaces"] == ["vault"]
    assert role["audience"] == "strongroom-snapshots"
    assert role["tokenType"] == "batch"
    assert role["tokenPolicies"] == ["strongroom-snapshots"]
    assert role["tokenNoDefaultPolicy"] is True
    assert role["tokenMaxTtl"] == 1800


@pytest.mark.parametrize("name", DESTINATIONS)
def test_no_pod_can_talk_to_the_api_server(name: str) -> None:
    deployed = run(name)
    account = deployed.one("kubernetes:core/v1:ServiceAccount").inputs
    assert account["automountServiceAccountToken"] is False
    for pod in pods(deployed).values():
        assert pod["automountServiceAccountToken"] is False
        audiences = [
            source["serviceAccountToken"]["audience"]
            for volume in pod["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
        ]
        assert set(audiences) <= {"strongroom-snapshots"}


@pytest.mark.parametrize("name", DESTINATIONS)
def test_every_pod_is_restricted_bounded_and_pinned(name: str) -> None:
    for pod in pods(run(name)).values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert set(container["resources"]) == {"requests", "limits"}
            assert container["image"].rpartition(":")[2] not in ("", "latest")


@pytest.mark.parametrize("name", DESTINATIONS)
def test_jobs_neither_overlap_nor_run_for_ever(name: str) -> None:
    for job in run(name).of_type(CRON_JOB):
        spec = job.inputs["spec"]
        assert spec["concurrencyPolicy"] == "Forbid"
        assert spec["timeZone"] == "Etc/UTC"
        assert spec["startingDeadlineSeconds"] == 600
        assert spec["successfulJobsHistoryLimit"] == spec["failedJobsHistoryLimit"] == 3
        assert 0 < spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] <= 1800


@pytest.mark.parametrize("name", DESTINATIONS)
def test_vault_is_verified_with_the_clusters_own_ca(name: str) -> None:
    save = containers(pods(run(name))["vault-snapshots"])[0]
    variables = {entry["name"]: entry["value"] for entry in save["env"]}
    assert variables["VAULT_ADDR"] == "https://vault-active:8200"
    assert variables["VAULT_CACERT"] == "/vault/ca/ca.crt"
    assert not {"VAULT_SKIP_VERIFY", "VAULT_TOKEN"} & set(variables)
    ca = next(v for v in pods(run(name))["vault-snapshots"]["volumes"] if v["name"] == "ca")
    assert ca["configMap"] == {"name": "vault-ca"}


def test_the_check_sees_the_volume_read_only_and_the_volume_is_protected() -> None:
    deployed = run("volume")
    assert deployed.one("kubernetes:core/v1:PersistentVolumeClaim").protect
    check = pods(deployed)["vault-snapshots-check"]
    (mount,) = [m for m in containers(check)[0]["volumeMounts"] if m["name"] == "snapshots"]
    assert mount["readOnly"] is True


@pytest.mark.parametrize(
    ("name", "annotation"),
    [("s3", "eks.amazonaws.com/role-arn"), ("gcs", "iam.gke.io/gcp-service-account")],
)
def test_a_bucket_is_reached_by_workload_identity(name: str, annotation: str) -> None:
    deployed = run(name)
    account = deployed.one("kubernetes:core/v1:ServiceAccount").inputs
    assert list(account["metadata"]["annotations"]) == [annotation]
    pod = pods(deployed)["vault-snapshots"]
    assert [c["name"] for c in pod["initContainers"]] == ["save"]
    assert [c["name"] for c in pod["containers"]] == ["upload"]
    names = {entry["name"] for c in containers(pod) for entry in c["env"]}
    assert not {n for n in names if "KEY" in n or "SECRET" in n or "CREDENTIAL" in n}


def test_the_job_s_name_is_an_output() -> None:
    assert run("volume").exports == {"cron_job": "vault-snapshots"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ToVolume(size="1Gi", retain=0), "retain: 0"),
        (lambda: ToS3(bucket="", region="eu-central-1"), "bucket: none given"),
        (lambda: ToGcs(bucket="b", prefix="/vault"), "prefix: '/vault'"),
        (lambda: ToGcs(bucket="b", prefix="vault"), "prefix: 'vault'"),
        (
            lambda: arguments(DESTINATIONS["volume"], max_age_seconds=60),
            "max_age_seconds: 60 is shorter",
        ),
    ],
)
def test_wrong_arguments_name_the_input(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
