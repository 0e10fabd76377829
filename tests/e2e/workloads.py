"""Workloads of the real cluster, the examples' above all: applied, watched, removed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, dynamic
from kubernetes.dynamic.exceptions import NotFoundError

from local.workload import Cluster
from vaultops.wait import wait_for

Manifest = dict[str, Any]
EXAMPLES = Path(__file__).parents[2] / "examples"
AGENT = "vault-agent-init"


def example(name: str) -> list[Manifest]:
    """The documents of one example, as they stand."""
    return list(yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text()))


def eventually(what: str, missing: Callable[[], str | None], seconds: float = 180) -> None:
    """Wait until nothing is missing. Fails with what was."""
    wait_for(missing, what=what, where="the cluster", seconds=seconds, fix="see the pods' logs")


@dataclass(frozen=True)
class Workloads:
    """What runs in one cluster."""

    cluster: Cluster

    @contextmanager
    def applied(self, *manifests: Manifest) -> Iterator[None]:
        """The objects, until the block ends; then they are gone, with their pods."""
        api = dynamic.DynamicClient(self.cluster.api())
        made = []
        try:
            for manifest in manifests:
                kind = api.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
                made.append((kind, manifest["metadata"]))
                api.server_side_apply(kind, body=manifest, field_manager="tests")
            yield
        finally:
            for kind, metadata in reversed(made):
                _remove(kind, metadata["name"], metadata["namespace"])

    def pods(self, manifest: Manifest) -> list[client.V1Pod]:
        """The pods of a workload, by its template's name."""
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        name = labels["app.kubernetes.io/name"]
        found = client.CoreV1Api(self.cluster.api()).list_namespaced_pod(
            manifest["metadata"]["namespace"], label_selector=f"app.kubernetes.io/name={name}"
        )
        return list(found.items)

    def phase(self, job: Manifest) -> str:
        """How far the one pod of a Job has come."""
        (pod,) = self.pods(job)
        return str(pod.status.phase)

    def wait_until_ready(self, manifest: Manifest, seconds: float = 180) -> list[client.V1Pod]:
        """Until as many pods are ready as are wanted; these."""

        def missing() -> str | None:
            pods = self.pods(manifest)
            ready = [pod for pod in pods if _is_ready(pod)]
            if len(ready) == len(pods) == manifest["spec"]["replicas"]:
                return None
            return "; ".join(f"{pod.metadata.name} {pod.status.phase}" for pod in pods) or "no pod"

        eventually(f"the pods of {manifest['metadata']['name']} to be ready", missing, seconds)
        return self.pods(manifest)

    def log(self, pod: client.V1Pod, container: str) -> str:
        """What a container has said; nothing before it has started."""
        try:
            said: str = client.CoreV1Api(self.cluster.api()).read_namespaced_pod_log(
                pod.metadata.name, pod.metadata.namespace, container=container
            )
        except client.ApiException as error:
            if error.status == 400:  # it is being created
                return ""
            raise
        return said

    def wait_for_line(self, manifest: Manifest, line: str, seconds: float = 180) -> None:
        """Until the first container of every pod of a workload has said `line`."""
        (container, *_) = manifest["spec"]["template"]["spec"]["containers"]

        def missing() -> str | None:
            logs = [self.log(pod, container["name"]) for pod in self.pods(manifest)]
            if logs and all(line in log.splitlines() for log in logs):
                return None
            return f"{sum(line in log.splitlines() for log in logs)} of {len(logs)} pods said it"

        eventually(f"{line!r} from {manifest['metadata']['name']}", missing, seconds)

    def refusal(self, job: Manifest, seconds: float = 180) -> str:
        """Run a Job whose agent gets nothing; what the agent said when it gave up.

        Fails when the agent succeeds, or the workload's own container starts.
        """
        ended: list[client.V1Pod] = []

        def missing() -> str | None:
            for pod in self.pods(job):
                for status in pod.status.init_container_statuses or ():
                    if status.name == AGENT and status.state.terminated:
                        ended.append(pod)
                        return None
            return "the agent has not ended"

        with self.applied(job):
            eventually(f"the agent of {job['metadata']['name']} to give up", missing, seconds)
            (pod,) = ended
            (agent,) = [s for s in pod.status.init_container_statuses if s.name == AGENT]
            assert agent.state.terminated.exit_code != 0, "the agent was let in"
            assert all(s.state.waiting and not s.started for s in pod.status.container_statuses)
            return self.log(pod, AGENT)


def with_script(job: Manifest, name: str, script: str) -> Manifest:
    """The Job under another name, with another command; it is not tried again."""
    changed = copy.deepcopy(job)
    changed["metadata"]["name"] = name
    changed["spec"]["backoffLimit"] = 0
    template = changed["spec"]["template"]
    template["metadata"]["labels"]["app.kubernetes.io/name"] = name
    template["spec"]["containers"][0]["args"] = [script]
    return changed


def _is_ready(pod: client.V1Pod) -> bool:
    conditions = pod.status.conditions or []
    return any(c.type == "Ready" and c.status == "True" for c in conditions)


def _remove(kind: Any, name: str, namespace: str, seconds: float = 180) -> None:
    """Delete an object and wait until it and what it owns are gone."""
    deadline = time.monotonic() + seconds
    options = {"propagationPolicy": "Foreground"}
    while True:
        try:
            kind.delete(name=name, namespace=namespace, body=options)
        except NotFoundError:
            return
        assert time.monotonic() < deadline, f"{name} is still there after {seconds:.0f} s"
        time.sleep(0.5)
