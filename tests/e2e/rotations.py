"""The application's login in the real cluster: rotated by tests alone, and the rotator's word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hvac
import yaml
from kubernetes import client

from local.environment import Environment
from local.progress import Clock
from local.workload import DATABASE_SECRET, Cluster
from tests.e2e.instances import NEVER, deployed_with
from tests.e2e.published_login import Login
from tests.e2e.waiting import wait_until
from tests.e2e.workloads import Manifest

IDENTITY = "strongroom-rotation"
CREDENTIAL = "mlflow-database"
READER = ("ml-serving", "ml-serving-sa", "ml-serving")
_EVENTS = "from cli.rotator import app; app()"


@contextmanager
def followed_by(
    environment: Environment, consumer: Mapping[str, str], **settings: Any
) -> Iterator[None]:
    """The stack, in which one consumer is waited for and no rotation begins by the clock.

    `settings` are others that it is deployed with (`strongroom:…`, without that).
    """
    config = yaml.safe_load(environment.stack.config_file.read_text())["config"]
    rotation: dict[str, Any] = config["strongroom:rotation"]
    rotation["job"]["schedule"] = NEVER
    for credential in rotation["credentials"]:
        if credential["name"] == CREDENTIAL:
            credential["consumers"] = [dict(consumer)]
    changed = {"rotation": rotation, **settings}
    with deployed_with(environment, {f"strongroom:{key}": changed[key] for key in changed}):
        jobs = client.BatchV1Api(environment.cluster().api())
        wait_until(
            "a rotation that the clock has begun to end",
            lambda: not jobs.read_namespaced_cron_job(IDENTITY, "vault").status.active,
        )
        yield


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


def rotated(cluster: Cluster, name: str, *arguments: str, seconds: float = 300) -> dict[str, Any]:
    """One pass of the rotator's own pod over one credential; what it says about that."""
    said = cluster.run_job(job(cluster, name, *arguments, "--json"), Clock(), seconds)
    (told,) = json.loads(said[said.index("[\n") :])
    result: dict[str, Any] = told
    return result


def signed_lines(cluster: Cluster) -> list[dict[str, Any]]:
    """The rotator's lines about the credential, the oldest first."""
    events = job(cluster, "rotate-events", program=_EVENTS)
    (container,) = events["spec"]["template"]["spec"]["containers"]
    container["args"] = ["rotate", "events", *container["args"]]
    lines = [json.loads(line) for line in cluster.run_job(events, Clock()).splitlines()]
    return [line for line in lines if line["rotation"] == CREDENTIAL]


def published(reader: hvac.Client) -> Login:
    """The login that the application has now."""
    mount, path = DATABASE_SECRET
    found: Login = reader.secrets.kv.v2.read_secret_version(
        path=path, mount_point=mount, raise_on_deleted_version=True
    )["data"]["data"]
    return found
