"""Previews for tests: recorded from the real engine, or made of events one by one.

The recorded ones are of a small program with one grant, some Vault policies and fake secrets; they
hold the events that a preview is read from, without the machine's own paths.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from review.events import Log, read
from review.preview import Preview, preview_of

LOGS = Path(__file__).with_name("logs")
STORED = "planted-in-the-state"
URN = "urn:pulumi:dev::strongroom::"
POLICY = "vault:index/policy:Policy"


def recorded(name: str) -> Log:
    """A preview that was recorded."""
    return read((LOGS / f"{name}.jsonl").read_text().splitlines())


def told(name: str) -> Preview:
    """What a recorded preview tells, of a stack that has one secret stored."""
    return preview_of(recorded(name), "dev", frozenset({STORED}))


def log(*events: dict[str, Any], result: str = "succeeded") -> Log:
    """A preview of these events that came to its end."""
    return read(json.dumps(event) for event in (*events, {"summaryEvent": {"result": result}}))


def step(
    op: str,
    type_: str,
    name: str,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    diffs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """One planned step on a resource with these inputs."""
    urn = f"{URN}{type_}::{name}"

    def state(inputs: dict[str, Any] | None) -> dict[str, Any] | None:
        if inputs is None:
            return None
        return {"type": type_, "urn": urn, "custom": True, "inputs": inputs, "outputs": {}}

    metadata = {"op": op, "urn": urn, "type": type_, "old": state(old), "new": state(new)}
    return {"resourcePreEvent": {"metadata": {**metadata, "diffs": list(diffs)}}}


def finding(policy: str, level: str, severity: str, text: str) -> dict[str, Any]:
    """One report of a policy on the resource `subject`."""
    return {
        "policyEvent": {
            "resourceUrn": f"{URN}{POLICY}::subject",
            "message": f"What the policy asks.\n{text}\n",
            "policyName": policy,
            "enforcementLevel": level,
            "severity": severity,
        }
    }


def message(text: str, severity: str = "warning") -> dict[str, Any]:
    """One line of the engine, a provider or the program."""
    return {"diagnosticEvent": {"message": f"{text}\n", "severity": severity}}
