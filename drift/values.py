"""When two values mean the same, and how a difference is said.

The engine's state and Vault's API write one value in several ways: `86400`, `"86400"` and `"24h"`,
an absent list and an empty one, a set in another order, a JSON document with other blanks.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from review.redaction import Redactor

_DURATION = re.compile(r"(?:\d+h)?(?:\d+m)?(?:\d+s)?")
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_LONGEST = 100
_REDACT = Redactor()


def differing(program: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each fact that both sides have and that differs, without secret values."""
    for name in program:
        if name in live and plain(name, program[name]) != plain(name, live[name]):
            yield _sentence(name, program[name], live[name])


def plain(name: str, value: Any) -> Any:
    """The one form in which a value is compared; None for whatever means "not set"."""
    if isinstance(value, str):
        value = _read(value)
    if isinstance(value, Mapping):
        return {k: v for k in sorted(value) if (v := plain(k, value[k])) is not None} or None
    if isinstance(value, list | tuple):
        members = [plain("", member) for member in value]
        # The order of statements is their meaning; everything else that is a list is a set.
        ordered = members if name.endswith("statements") else sorted(members, key=_order)
        return ordered or None
    return value or None


def _read(text: str) -> Any:
    if text.isdigit():
        return int(text)
    if text and _DURATION.fullmatch(text):
        return sum(int(part[:-1]) * _SECONDS[part[-1]] for part in re.findall(r"\d+[hms]", text))
    if text.startswith(("{", "[")):
        try:
            return json.loads(text)
        except ValueError:
            return text  # a template, not a document
    return text.strip()


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _sentence(name: str, program: Any, live: Any) -> str:
    if isinstance(plain(name, program), dict) and isinstance(plain(name, live), dict):
        inner = "; ".join(_differing_deep(plain(name, program), plain(name, live)))
        return f"{name}: {inner}"
    if isinstance(program, list | tuple) and isinstance(live, list | tuple):
        here, there = _members(program), _members(live)
        added, gone = [m for m in there if m not in here], [m for m in here if m not in there]
        if added or gone:
            parts = ([f"adds {_shown(added)}"] if added else []) + (
                [f"lacks {_shown(gone)}"] if gone else []
            )
            return f"{name}: {', '.join(parts)}"
    return f"{name}: {_shown(live)}, in the program {_shown(program)}"


def _differing_deep(program: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(program.keys() | live.keys()):
        here, there = program.get(name), live.get(name)
        if here != there:
            yield _sentence(name, here, there)


def _members(values: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [plain("", value) for value in values]


def _shown(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) > _LONGEST:
        return f"a value of {len(text)} characters, sha256 {_digest(text)}"
    return _REDACT(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
