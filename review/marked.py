"""Values that the engine marks as secret: what a stack has stored, and whether a change adds any.

A preview's events hold none of them. The stored ones are read so that a message which repeats one
can be redacted; of new ones nothing is known but that they are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from review.events import SECRET, Step


def stored_secrets(export: Any) -> frozenset[str]:
    """Every text that is secret in what `pulumi stack export --show-secrets` wrote."""
    return frozenset(_stored(export))


def brings_secrets(steps: Iterable[Step]) -> bool:
    """Whether some resource gets a secret input that the stack has not stored already."""
    return any(_brings(step) for step in steps if step.new)


def texts_in(text: str) -> Iterator[str]:
    """The text, and when it is a JSON document every text in it."""
    yield text
    try:
        waiting = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        match waiting.pop():
            case dict(entries):
                waiting += entries.values()
            case list(entries):
                waiting += entries
            case str(inner) if inner != text:
                yield from texts_in(inner)


def is_marked(value: Any) -> bool:
    """Whether a part of the value is secret."""
    if isinstance(value, Mapping):
        return SECRET in value or any(map(is_marked, value.values()))
    return isinstance(value, list) and any(map(is_marked, value))


def _stored(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if SECRET in value:
            yield from texts_in(value.get("plaintext", ""))
        else:
            for inner in value.values():
                yield from _stored(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _stored(inner)


def _brings(step: Step) -> bool:
    inputs: Mapping[str, Any] = (step.new or {}).get("inputs") or {}
    stored: Mapping[str, Any] = (step.old or {}).get("inputs") or {}
    touched = {path.replace("[", ".").partition(".")[0] for path in step.changed}
    return any(
        is_marked(value) and (key in touched or not is_marked(stored.get(key)))
        for key, value in inputs.items()
    )
