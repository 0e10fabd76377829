"""Reading a node's health from the object that the API server has of it."""

from __future__ import annotations

import datetime
import json

from local.node.layout import NODE_NAME

NODE = f"/api/v1/nodes/{NODE_NAME}"


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
