"""What a user of the platform does on the local stack: write a secret, run a job that reads it.

Owns nothing that runs for long. `make up` ends with it as the proof that the platform works, and
the end-to-end tests use the same calls.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import yaml
from kubernetes import client, config, utils

from local.node import NodeError
from local.paths import REPOSITORY
from local.progress import Progress
from local.services.postgresql import PostgresService

EXAMPLE_JOB = REPOSITORY / "examples" / "training-job.yaml"
SECRET = ("secret", "ml/mlflow")
DATABASE_SECRET = ("secret", "ml/mlflow-database")
CANARY = ("secret", "ml/canary")
WRITER = ("ml-training", "mlflow-admin", "mlflow-writer")


@dataclass(frozen=True)
class Cluster:
    """The cluster behind a kubeconfig, and the Vault in it."""

    kubeconfig: Path
    vault_address: str
    vault_ca: Path

    def api(self) -> client.ApiClient:
        """A client of the cluster's API."""
        return config.new_client_from_config(str(self.kubeconfig))

    def token(self, namespace: str, account: str, audience: str = "vault") -> str:
        """A ten-minute token of a service account for one audience."""
        request = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[audience], expiration_seconds=600)
        )
        answer = client.CoreV1Api(self.api()).create_namespaced_service_account_token(
            account, namespace, request
        )
        token: str = answer.status.token
        return token

    def login(
        self, namespace: str, account: str, role: str, audience: str = "vault"
    ) -> hvac.Client:
        """A Vault client logged in as a service account. Raises hvac's Forbidden when refused."""
        vault = hvac.Client(url=self.vault_address, verify=str(self.vault_ca))
        vault.auth.kubernetes.login(role=role, jwt=self.token(namespace, account, audience))
        return vault

    def ensure_example_secret(self) -> None:
        """Write the training example's secret as its manager, once: fake values that say so."""
        self._write_once(
            SECRET,
            {
                "tracking_uri": "http://mlflow.ml-serving:5000",
                "password": f"fake-{secrets.token_urlsafe(18)}",
            },
        )

    def ensure_database_secret(self, database: PostgresService) -> None:
        """Publish the application's first login, once: rotations replace it from then on."""
        self._write_once(
            DATABASE_SECRET,
            {
                "engine": "postgres",
                "host": database.host,
                "port": database.port,
                "dbname": database.database,
                "username": database.application_user,
                "password": database.application_password_file.read_text(),
            },
        )

    def _write_once(self, secret: tuple[str, str], values: dict[str, Any]) -> None:
        namespace, account, role = WRITER
        mount, path = secret
        versions = self.login(namespace, account, role).secrets.kv.v2
        try:
            versions.read_secret_metadata(path=path, mount_point=mount)
        except hvac.exceptions.InvalidPath:
            versions.create_or_update_secret(path=path, mount_point=mount, secret=values)

    def run_job(self, manifest: dict[str, Any], progress: Progress, deadline: float = 120) -> str:
        """Run a Job anew and return its first container's log once it has succeeded.

        Raises NodeError with the pods' states, and the end of what a failed one said, when it fails
        or `deadline` seconds are over.
        """
        api = self.api()
        jobs, core = client.BatchV1Api(api), client.CoreV1Api(api)
        name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
        self._delete_job(jobs, name, namespace, deadline)
        utils.create_from_dict(api, manifest)
        progress(f"workload: waiting for job {namespace}/{name}")
        ends = time.monotonic() + deadline
        while True:
            status = jobs.read_namespaced_job_status(name, namespace).status
            selector = f"job-name={name}"
            pods = core.list_namespaced_pod(namespace, label_selector=selector).items
            if status.succeeded:
                container = manifest["spec"]["template"]["spec"]["containers"][0]["name"]
                done = next(pod for pod in pods if pod.status.phase == "Succeeded")
                log: str = core.read_namespaced_pod_log(
                    done.metadata.name, namespace, container=container
                )
                return log
            if status.failed or time.monotonic() > ends:
                states = "; ".join(_state(pod) for pod in pods) or self._refusal(name, namespace)
                said = [self._last_lines(pod) for pod in pods if pod.status.phase == "Failed"]
                raise NodeError(
                    f"job {namespace}/{name} did not succeed in {deadline:.0f} s: {states}"
                    + "".join(f"\n{lines}" for lines in said)
                )
            time.sleep(0.5)

    def _last_lines(self, pod: client.V1Pod) -> str:
        """The end of what the pod's first container said; nothing when that is gone, too."""
        name, namespace = pod.metadata.name, pod.metadata.namespace
        first = pod.spec.containers[0].name
        try:
            said: str = client.CoreV1Api(self.api()).read_namespaced_pod_log(
                name, namespace, container=first, tail_lines=20
            )
        except client.ApiException:
            return ""
        return said

    def _refusal(self, job: str, namespace: str) -> str:
        """Why the cluster made no pod for a Job, as its newest event has it."""
        events = client.CoreV1Api(self.api()).list_namespaced_event(
            namespace, field_selector=f"involvedObject.kind=Job,involvedObject.name={job}"
        )
        messages = [event.message for event in events.items if event.type == "Warning"]
        return f"no pod was made: {messages[-1] if messages else 'no event says why'}"

    def _delete_job(
        self, jobs: client.BatchV1Api, name: str, namespace: str, deadline: float
    ) -> None:
        ends = time.monotonic() + deadline
        try:
            jobs.delete_namespaced_job(name, namespace, propagation_policy="Foreground")
            while time.monotonic() < ends:
                jobs.read_namespaced_job(name, namespace)
                time.sleep(0.2)
            raise NodeError(
                f"job {namespace}/{name} of an earlier run is not gone after {deadline:.0f} s: "
                "what holds its pods is in `kubectl describe pods`"
            )
        except client.ApiException as error:
            if error.status != 404:
                raise


def example_job() -> dict[str, Any]:
    """The training example's manifest."""
    manifest: dict[str, Any] = yaml.safe_load(EXAMPLE_JOB.read_text())
    return manifest


def _state(pod: client.V1Pod) -> str:
    statuses = [*(pod.status.init_container_statuses or []), *(pod.status.container_statuses or [])]
    parts = []
    for status in statuses:
        state = status.state.waiting or status.state.terminated
        if state and state.reason:
            parts.append(f"{status.name}: {state.reason} {state.message or ''}".strip())
    return f"{pod.metadata.name} {pod.status.phase} ({', '.join(parts) or 'no container started'})"
