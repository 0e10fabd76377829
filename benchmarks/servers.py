"""The Vault servers of a local environment as Kubernetes has them: who leads, loss, return."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kubernetes import client
from kubernetes.stream import stream

from local.workload import Cluster

NAMESPACE = "vault"
SERVERS = ("vault-0", "vault-1", "vault-2")
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Servers:
    """The pods of the cluster's Vault."""

    cluster: Cluster

    def pods(self) -> dict[str, client.V1Pod]:
        """The servers by name."""
        listed = client.CoreV1Api(self.cluster.api()).list_namespaced_pod(
            NAMESPACE, label_selector="component=server"
        )
        return {pod.metadata.name: pod for pod in listed.items}

    def active(self) -> str:
        """The name of the active server. Raises StopIteration while there is none."""
        return next(
            name
            for name, pod in self.pods().items()
            if (pod.metadata.labels or {}).get("vault-active") == "true"
        )

    def delete(self, *names: str, grace_seconds: int = 0) -> None:
        """Delete pods; with a grace of 0 their servers are killed."""
        api = client.CoreV1Api(self.cluster.api())
        for name in names:
            api.delete_namespaced_pod(name, NAMESPACE, grace_period_seconds=grace_seconds)

    def kill(self, name: str) -> None:
        """SIGKILL to the server's process; its container starts anew in the same pod."""
        stream(
            client.CoreV1Api(self.cluster.api()).connect_get_namespaced_pod_exec,
            name,
            NAMESPACE,
            container="tls-reload",  # it shares the server's process namespace and user
            command=[
                "/bin/sh",
                "-c",
                "kill -9 $(pidof vault | tr ' ' '\\n' | sort -n | head -n 1)",
            ],
            stdout=True,
            stderr=True,
        )

    def await_return(self, before: dict[str, client.V1Pod], seconds: float = 180) -> None:
        """Wait until each server has begun anew since `before`, and is unsealed and ready.

        Raises TimeoutError naming those that are not.
        """
        deadline = time.monotonic() + seconds
        while missing := self._not_back(before):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"not back, unsealed and ready after {seconds:.0f} s: {', '.join(missing)}"
                )
            time.sleep(POLL_SECONDS)

    def _not_back(self, before: dict[str, client.V1Pod]) -> list[str]:
        now = self.pods()
        return [
            name
            for name, old in before.items()
            if name not in now
            or _life(now[name]) == _life(old)
            or not now[name].status.container_statuses
            or not all(status.ready for status in now[name].status.container_statuses)
            or (now[name].metadata.labels or {}).get("vault-sealed") != "false"
        ]


def _life(pod: client.V1Pod) -> tuple[str, int]:
    """Changes with each new pod and each restart of a container in it."""
    statuses = pod.status.container_statuses or []
    return pod.metadata.uid, sum(status.restart_count for status in statuses)
