"""The workloads that read a rotated credential, and the evidence that each of their pods moved.

Owns the wait before the old credential is revoked. Nothing is assumed from elapsed time. A pod
counts as moved when it was made from the template that this run changed after the publication (a
rollout), when it says so itself (an endpoint), or when the database sees it log in as the new user
(sessions); of the old user no session may be left. File watch and signal happen in the pod, by its
own agent: a rotator that may send signals could run anything in every pod.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from rotation import events
from rotation.steps import Facts, Pending, Run
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl

ANNOTATION = "strongroom.dev/rotation"


class Reload(StrEnum):
    """How a workload comes by a new credential."""

    FILE = "file"
    SIGNAL = "signal"
    ROLLOUT = "rollout"


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """Pods of `workload` (`deployment/NAME`, `statefulset/NAME`, `daemonset/NAME`).

    With `endpoint` (PORT/PATH, plain HTTP inside the cluster) each pod answers which credential it
    uses: the access key id or user name, or a JSON object that has it as `credential`. A rollout
    waits first until `external_secret`, which copies the credential for it, was refreshed.
    """

    namespace: str
    workload: str
    reload: Reload
    endpoint: str | None = None
    external_secret: str | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.workload}"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod that has not ended; `run` is the rotation's run whose rollout made it."""

    name: str
    ip: str
    run: str
    ready: bool


@dataclass(frozen=True, kw_only=True)
class Session:
    """An open session of the database."""

    user: str
    address: str


Sessions = Callable[[], Sequence[Session]]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What is asked of Kubernetes; `kubectl` gives one for each namespace."""

    kubectl: Callable[[str], Kubectl]

    def pods(self, consumer: Consumer) -> list[Pod]:
        """Every pod of the workload, those of an older template too. Raises VaultOpsError."""
        kubectl = self.kubectl(consumer.namespace)
        workload = kubectl.json("get", consumer.workload)
        labels: Mapping[str, str] = workload["spec"]["selector"].get("matchLabels", {})
        if not labels:
            raise VaultOpsError(
                "the workload's pods cannot be told from others",
                where=str(consumer),
                why="its selector has no matchLabels",
                fix="give the workload a selector with matchLabels",
            )
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        found = kubectl.json("get", "pods", f"--selector={selector}")["items"]
        return [
            _pod(pod) for pod in found if pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]

    def wanted(self, consumer: Consumer) -> int:
        """How many pods the workload shall have."""
        workload = self.kubectl(consumer.namespace).json("get", consumer.workload)
        status, spec = workload.get("status", {}), workload["spec"]
        return int(spec.get("replicas", status.get("desiredNumberScheduled", 1)))

    def roll_out(self, consumer: Consumer, run: str) -> None:
        """Replace its pods, once for each run: the template, and each pod of it, names the run."""
        patch = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: run}}}}}
        self.kubectl(consumer.namespace).run(
            "patch", consumer.workload, "--type=merge", f"--patch={json.dumps(patch)}"
        )

    def refreshed(self, consumer: Consumer) -> float:
        """When the consumer's ExternalSecret was last copied, in seconds since the epoch."""
        found = self.kubectl(consumer.namespace).json(
            "get", "externalsecrets.external-secrets.io", str(consumer.external_secret)
        )
        time = found.get("status", {}).get("refreshTime")
        return _seconds(time) if time else 0.0

    def says(self, consumer: Consumer, pod: Pod) -> str | None:
        """Which credential the pod says it uses; None when it does not answer."""
        port, _, path = str(consumer.endpoint).partition("/")
        proxy = f"/api/v1/namespaces/{consumer.namespace}/pods/{pod.name}:{port}/proxy/{path}"
        try:
            text = self.kubectl(consumer.namespace).run("get", "--raw", proxy).strip()
        except VaultOpsError:
            return None
        try:
            answer = json.loads(text)
        except ValueError:
            return text
        return str(answer.get("credential")) if isinstance(answer, dict) else text


def moved(
    run: Run,
    consumers: Sequence[Consumer],
    cluster: Cluster,
    *,
    new: str,
    old: Sequence[str] = (),
    sessions: Sessions | None = None,
) -> Facts | Pending:
    """Whether every pod of `consumers` uses the credential `new`; asks for rollouts on the way.

    The step of `run` began after the credential was published. `old` are the database users whose
    sessions must be gone, seen by `sessions`. The facts say how many pods were seen. Raises
    VaultOpsError when Kubernetes cannot be asked.
    """
    seen = sessions() if sessions else None
    count = 0
    for consumer in consumers:
        if consumer.reload is Reload.ROLLOUT:
            if consumer.external_secret and cluster.refreshed(consumer) <= run.since:
                return Pending(
                    f"ExternalSecret {consumer.namespace}/{consumer.external_secret} was not "
                    f"refreshed since {events.at(run.since)}"
                )
            cluster.roll_out(consumer, run.id)
        pods = cluster.pods(consumer)
        count += len(pods)
        if len(pods) < cluster.wanted(consumer):
            return Pending(f"{consumer}: pods are missing, so not all can be asked")
        for pod in pods:
            if why := _not_moved(consumer, pod, cluster, new, run, seen):
                return Pending(f"{consumer}: pod {pod.name} {why}")
    left = [one for one in seen or () if one.user in old]
    if left:
        places = ", ".join(sorted({one.address or "unknown" for one in left}))
        return Pending(f"{len(left)} sessions of {left[0].user} are open, from {places}")
    return {"pods-moved": str(count)}


def _not_moved(
    consumer: Consumer,
    pod: Pod,
    cluster: Cluster,
    new: str,
    run: Run,
    seen: Sequence[Session] | None,
) -> str:
    """What speaks against the pod's having moved; nothing when it has."""
    if consumer.reload is Reload.ROLLOUT:
        if pod.run != run.id:
            return "is from before the rollout"
        if not pod.ready:
            return "is not ready"
    elif consumer.endpoint:
        said = cluster.says(consumer, pod)
        if said is None:
            return f"does not answer at {consumer.endpoint}"
        if said != new:
            return f"says that it uses {said}, not {new}"
    elif not any(one.user == new and one.address == pod.ip for one in seen or ()):
        return f"({pod.ip}) has no session as {new} yet"
    return ""


def _pod(pod: Mapping[str, Any]) -> Pod:
    conditions = pod["status"].get("conditions", [])
    return Pod(
        name=pod["metadata"]["name"],
        ip=pod["status"].get("podIP", ""),
        run=pod["metadata"].get("annotations", {}).get(ANNOTATION, ""),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in conditions),
    )


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
