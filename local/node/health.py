"""Reading a node's health from the object that the API server has of it."""

from __future__ import annotations

import datetime
import json

from local.node.layout import NODE_NAME

DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
NODE = f"/api/v1/nodes/{NODE_NAME}"
PODS = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{NODE_NAME}"
PODS_OF_KUBELET = f"{NODE}/proxy/pods"


def is_ready(node: str, since: float) -> bool:
    """Whether a Node object, as JSON, is Ready by a report of its kubelet from after `since`.

    `since` is in seconds since the epoch; reports are stamped with whole seconds.
    """
    conditions = json.loads(node).get("status", {}).get("conditions", [])
    return any(
        condition["type"] == "Ready"
        and condition["status"] == "True"
        and _moment(condition["lastHeartbeatTime"]) >= int(since)
        for condition in conditions
    )


def _moment(stamp: str) -> float:
    return datetime.datetime.fromisoformat(stamp).timestamp()


def unknown_pods(recorded: str, known: str) -> set[str]:
    """Of the pods in the API (a list, as JSON) those not yet in the kubelet's own list."""
    return _unfinished(recorded) - _unfinished(known)


def _unfinished(pods: str) -> set[str]:
    return {
        pod["metadata"]["uid"]
        for pod in json.loads(pods)["items"] or []
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
    }


def reported_running(pods: str) -> set[str]:
    """The ids of the containers that run according to a list of pods, as JSON."""
    return {
        status["containerID"].removeprefix("containerd://")
        for pod in json.loads(pods)["items"] or []
        for status in pod.get("status", {}).get("containerStatuses", [])
        if "running" in status.get("state", {})
    }
