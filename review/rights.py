"""What a preview gives and takes: the access matrix of the stack as it is, and as it is planned.

Owns how the engine's states become the two matrices; comparing them is `access.changes`. Both are
read from the same preview, so that what it never came to is neither gained nor lost. An object that
is not known in full on one side is left out on both, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from access.changes import Change, diff
from access.matrix import Matrix
from access.state import StateError, matrix_of
from review.events import UNKNOWN, Step, name_of
from review.marked import is_marked

# Whose objects give rights, so that a reader must know of one that was left out.
_GIVE_RIGHTS = (
    "aws:iam/",
    "kubernetes:rbac.authorization.k8s.io/",
    "vault:index/mount:",
    "vault:index/policy:",
    "vault:kubernetes/authBackendRole:",
)
_REMOVES = frozenset({"delete", "delete-replaced", "discard", "discard-replaced"})


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Every change of a right, in the order of `access.changes`, and what was left out."""

    changes: tuple[Change, ...]
    left_out: tuple[str, ...]


def rights(steps: Iterable[Step]) -> Rights:
    """Compare what the stack gives now with what it will give."""
    was: dict[str, Mapping[str, Any]] = {}
    becomes: dict[str, Mapping[str, Any]] = {}
    for step in steps:
        if step.old:
            was[step.urn] = step.old
        if step.new and step.op not in _REMOVES:
            becomes[step.urn] = step.new
    left_out: dict[str, str] = {}
    for urn, state in (*was.items(), *becomes.items()):
        if reason := _hidden(state):
            left_out[urn] = f"{name_of(urn)} ({state['type']}) {reason}"
    told = [
        f"{note}, so the rights it gives are not compared"
        for urn, note in left_out.items()
        if (becomes.get(urn) or was[urn])["type"].startswith(_GIVE_RIGHTS)
    ]
    try:
        changes = diff(_matrix(was, left_out), _matrix(becomes, left_out))
    except StateError as error:
        return Rights(changes=(), left_out=(*told, f"no right is compared: the stack {error}"))
    return Rights(changes=changes, left_out=tuple(told))


def _matrix(states: Mapping[str, Mapping[str, Any]], left_out: Mapping[str, str]) -> Matrix:
    resources = [
        {"urn": urn, "type": state["type"], **_values(state)}
        for urn, state in states.items()
        if urn not in left_out
    ]
    return matrix_of({"deployment": {"resources": resources}})


def _values(state: Mapping[str, Any]) -> dict[str, Any]:
    outputs = state.get("outputs") or {}
    return {
        "inputs": state.get("inputs") or {},
        "outputs": {key: value for key, value in outputs.items() if not _is_unknown(value)},
    }


def _hidden(state: Mapping[str, Any]) -> str:
    if _is_unknown(state.get("inputs")):
        return "has values that only a deployment will tell"
    if is_marked([state.get("inputs"), state.get("outputs")]):
        return "is secret in part"
    return ""


def _is_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_is_unknown, value))
    return isinstance(value, str) and UNKNOWN in value
