"""The engine's stream of preview events, read into plain values.

Owns the stream's form, as `pulumi preview --json` writes it with
PULUMI_ENABLE_STREAMING_JSON_PREVIEW set: one JSON object a line, values that the engine knows to be
secret already masked. Decides nothing about what an event means to a reader.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that only a deployment will tell."""
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 -- the engine's mark, not a secret
"""The key of the object that the engine writes in place of a secret value."""

# The engine says of every program on PATH that it uses it.
_NOISE = "using pulumi-"
_TOLD = frozenset({"warning", "error"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step that the engine plans for a resource. `old` and `new` are its states around it."""

    op: str
    urn: str
    type: str
    custom: bool
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    changed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One report of a policy, in its own words."""

    policy: str
    level: str
    severity: str
    urn: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """One warning or error of the engine, a provider or the program."""

    severity: str
    text: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Log:
    """Everything a preview told. `result` is the engine's word; empty when it ended before one."""

    steps: tuple[Step, ...] = ()
    violations: tuple[Violation, ...] = ()
    messages: tuple[Message, ...] = ()
    config: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    unread: int = 0


def name_of(urn: str) -> str:
    """The last part of a URN."""
    return urn.rpartition("::")[2]


def read(lines: Iterable[str]) -> Log:
    """Read a stream. A line that is no event is counted in `unread` and never shown."""
    steps: dict[tuple[str, str], Step] = {}
    violations: dict[Violation, None] = {}
    messages: dict[Message, None] = {}
    config: Mapping[str, str] = {}
    result, unread = "", 0
    for line in filter(str.strip, lines):
        match _event(line):
            case {"resourcePreEvent": {"metadata": metadata}}:
                step = _step(metadata)
                steps[step.op, step.urn] = step
            case {"resOutputsEvent": {"metadata": metadata}}:
                step = _step(metadata)
                # It comes after the step, and has the outputs that the preview foresees.
                if (step.op, step.urn) in steps:
                    steps[step.op, step.urn] = step
            case {"policyEvent": event}:
                violations[_violation(event)] = None
            case {"diagnosticEvent": event}:
                messages |= dict.fromkeys(_messages(event))
            case {"preludeEvent": {"config": dict(config)}}:
                pass
            case {"summaryEvent": event}:
                result = event.get("result", "succeeded")
            case {"sequence": int()}:
                pass
            case _:
                unread += 1
    return Log(
        steps=tuple(steps.values()),
        violations=tuple(violations),
        messages=tuple(messages),
        config=config,
        result=result,
        unread=unread,
    )


def _event(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _step(metadata: Mapping[str, Any]) -> Step:
    state = metadata.get("new") or metadata.get("old") or {}
    detailed = metadata.get("detailedDiff") or {}
    return Step(
        op=metadata["op"],
        urn=metadata["urn"],
        type=metadata["type"],
        custom=bool(state.get("custom")),
        old=metadata.get("old"),
        new=metadata.get("new"),
        changed=tuple(sorted(detailed or metadata.get("diffs") or ())),
    )


def _violation(event: Mapping[str, Any]) -> Violation:
    return Violation(
        policy=event["policyName"],
        level=event["enforcementLevel"],
        severity=event.get("severity", ""),
        urn=event.get("resourceUrn", ""),
        text=event["message"].strip(),
    )


def _messages(event: Mapping[str, Any]) -> Iterator[Message]:
    text = event["message"].strip()
    if event["severity"] in _TOLD and text and not text.startswith(_NOISE):
        yield Message(severity=event["severity"], text=text, urn=event.get("urn", ""))
