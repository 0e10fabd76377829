"""Upgrade in order: snapshot, standbys one by one, step-down, the old active server last.

Owns the order and the reasons to stop. The StatefulSet is OnDelete: a pod gets the new template
when it is deleted, and nothing deletes it but this. A new active server is never older than the
data that it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from vaultops.errors import DoubtError, UnreachableError
from vaultops.kubectl import Kubectl
from vaultops.state import BootstrapState, observe
from vaultops.target import Target
from vaultops.wait import wait_for

Progress = Callable[[str], None]
RESTART_SECONDS = 120.0  # a pod may take its whole grace period
ACTIVE_LABEL = "vault-active"  # Vault itself sets it, and the Service of the active server selects


class Pods(Protocol):
    """What makes servers new. `identity` changes when the pod is another one."""

    def identity(self, ordinal: int) -> str:
        """The pod's uid; empty while there is none."""

    def outdated(self, ordinal: int) -> bool:
        """Whether the pod runs an older template than the StatefulSet's."""

    def delete(self, ordinal: int) -> None:
        """Delete the pod; its controller makes it anew."""


@dataclass(frozen=True)
class KubernetesPods:
    """The pods of the StatefulSet `release`."""

    kubectl: Kubectl
    release: str = "vault"

    def identity(self, ordinal: int) -> str:
        """The pod's uid; empty while there is none."""
        found = self._get("pod", f"{self.release}-{ordinal}", "{.metadata.uid}")
        return found.strip()

    def outdated(self, ordinal: int) -> bool:
        """Whether the pod's revision is not the StatefulSet's newest."""
        path = "{.metadata.labels.controller-revision-hash}"
        newest = self._get("statefulset", self.release, "{.status.updateRevision}")
        return self._get("pod", f"{self.release}-{ordinal}", path) != newest

    def delete(self, ordinal: int) -> None:
        """Delete the pod and return at once."""
        self.kubectl.run("delete", "pod", f"{self.release}-{ordinal}", "--wait=false")

    def restart(self, replicas: int) -> None:
        """Delete the pods of all servers at once and return when each has ended."""
        names = [f"{self.release}-{ordinal}" for ordinal in range(replicas)]
        self.kubectl.run(
            "delete", "pod", *names, "--wait", "--ignore-not-found", seconds=RESTART_SECONDS
        )

    def unserved(self, replicas: int) -> str | None:
        """Why clients do not come to the active server by its Service yet; None when they do.

        The cluster learns later than Vault itself who leads and who answers.
        """
        names = [f"{self.release}-{ordinal}" for ordinal in range(replicas)]
        pods = self.kubectl.json("get", "pod", *names)["items"]
        if waiting := [pod["metadata"]["name"] for pod in pods if not _ready(pod)]:
            return f"{', '.join(waiting)} is not ready"
        active = [pod for pod in pods if pod["metadata"]["labels"].get(ACTIVE_LABEL) == "true"]
        return None if active else f"no pod has the label {ACTIVE_LABEL}=true"

    def _get(self, kind: str, name: str, path: str) -> str:
        return self.kubectl.run(
            "get", kind, name, "--ignore-not-found", f"--output=jsonpath={path}"
        )


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def upgrade(
    target: Target,
    pods: Pods,
    token: str,
    *,
    snapshot: Callable[[], None],
    progress: Progress,
    seconds: float = 300,
) -> tuple[str, ...]:
    """Renew every outdated pod; return their names in the order they were renewed.

    `snapshot` is called before anything is touched, `seconds` bounds each wait. Raises DoubtError
    before a step that is not safe, and WaitedTooLongError when a step does not end well: nothing
    further is touched, and the next call goes on.
    """
    stale = [n for n in range(target.replicas) if pods.outdated(n)]
    if not stale:
        progress("every pod runs the newest template")
        return ()
    _be_sure(target, token)
    progress("the cluster is healthy; taking a snapshot")
    snapshot()
    active = _active(target)
    renewed = []
    for ordinal in [n for n in stale if n != active]:
        _renew(target, pods, token, ordinal, progress, seconds)
        renewed.append(target.name(ordinal))
    if active in stale:
        _step_down(target, token, active, progress, seconds)
        _renew(target, pods, token, active, progress, seconds)
        renewed.append(target.name(active))
    return tuple(renewed)


def healthy(target: Target, token: str) -> str | None:
    """None when all servers are joined and autopilot calls them healthy; else what is missing."""
    observation = observe(target)
    if observation.state is not BootstrapState.JOINED or observation.active is None:
        return observation.missing or "no leader"
    try:
        with target.pod_client(observation.active, token) as client:
            state = client.adapter.get("/v1/sys/storage/raft/autopilot/state")["data"]
    except UnreachableError as reason:
        return reason.what
    voters = state.get("voters") or []
    if not state["healthy"]:
        return "autopilot does not call every server healthy"
    if len(voters) != target.replicas:
        return f"{len(voters)} of {target.replicas} servers are voters"
    return None


def _be_sure(target: Target, token: str) -> None:
    if (missing := healthy(target, token)) is not None:
        raise DoubtError(
            "the cluster is not healthy; no pod was touched",
            where="sys/storage/raft/autopilot/state",
            why=missing,
            fix="repair it first (`strongroom vault status`); one more pod down may cost quorum",
        )


def _active(target: Target) -> int:
    active = observe(target).active
    if active is None:
        raise DoubtError(
            "no server is active; no further pod was touched",
            where="sys/leader",
            why="without a leader no order is safe",
            fix="wait for an election, then run the upgrade again",
        )
    return active


def _renew(
    target: Target, pods: Pods, token: str, ordinal: int, progress: Progress, seconds: float
) -> None:
    _be_sure(target, token)
    if _active(target) == ordinal:
        raise DoubtError(
            f"{target.name(ordinal)} has become active; it was not deleted",
            where="sys/leader",
            why="the active server comes last",
            fix="run the upgrade again",
        )
    name, before = target.name(ordinal), pods.identity(ordinal)
    progress(f"renewing {name}")
    pods.delete(ordinal)
    target.reset(ordinal)

    def probe() -> str | None:
        if pods.identity(ordinal) in ("", before):
            return f"{name} is still the old pod"
        return healthy(target, token)

    _wait(probe, f"{name} to come back, unsealed and healthy", seconds, progress)


def _step_down(target: Target, token: str, active: int, progress: Progress, seconds: float) -> None:
    _be_sure(target, token)
    progress(f"{target.name(active)} steps down")
    try:
        with target.pod_client(active, token) as client:
            client.sys.step_down()
    except UnreachableError:
        pass  # it hands over while it answers

    def probe() -> str | None:
        now = observe(target).active
        return None if now not in (None, active) else "no other server is active yet"

    _wait(probe, "another server to become active", seconds, progress)
    _wait(lambda: healthy(target, token), "the cluster to be healthy", seconds, progress)


def _wait(probe: Callable[[], str | None], what: str, seconds: float, progress: Progress) -> None:
    wait_for(
        probe,
        what=what,
        where="sys/leader and autopilot",
        seconds=seconds,
        fix="the upgrade has stopped there; repair the named server, then run it again",
        on_change=progress,
    )
