from __future__ import annotations

import json
from typing import Any

from local.node import health


def node(status: str, heartbeat: str) -> str:
    ready = {"type": "Ready", "status": status, "lastHeartbeatTime": heartbeat}
    pressure = {"type": "DiskPressure", "status": "True", "lastHeartbeatTime": heartbeat}
    return json.dumps({"status": {"conditions": [pressure, ready]}})


def test_ready_counts_only_by_the_word_of_the_kubelet_that_runs() -> None:
    moment = "2024-01-01T00:00:10Z"
    assert health.is_ready(node("True", moment), since=1704067210.9)
    assert not health.is_ready(node("True", moment), since=1704067211.0)
    assert not health.is_ready(node("False", moment), since=0)
    assert not health.is_ready("{}", since=0)


def pods(*items: dict[str, Any]) -> str:
    return json.dumps({"items": list(items)})


def pod(uid: str, phase: str = "Running", state: str = "running") -> dict[str, Any]:
    container = {"containerID": f"containerd://{uid}-container", "state": {state: {}}}
    status = {"phase": phase, "containerStatuses": [container]}
    return {"metadata": {"uid": uid}, "status": status}


def test_a_pod_that_the_kubelet_does_not_know_yet_is_waited_for() -> None:
    recorded = pods(pod("a"), pod("b"), pod("done", phase="Succeeded"))
    assert health.unknown_pods(recorded, pods(pod("a"))) == {"b"}
    assert health.unknown_pods(recorded, pods(pod("a"), pod("b"))) == set()
    assert health.unknown_pods('{"items": null}', '{"items": null}') == set()


def test_only_running_containers_are_looked_for() -> None:
    listed = pods(pod("a"), pod("b", state="waiting"), {"metadata": {"uid": "new"}})
    assert health.reported_running(listed) == {"a-container"}
