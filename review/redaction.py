"""Takes secret values out of text that leaves for a pull request.

Owns three ways of knowing one: its shape (a token, a key, a long random string), that it stands in
the preview under a secret's name, and that the caller names it. Errs towards taking too much:
whoever needs the text as it was runs the engine.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from policies.secret_values import kind_of
from review.events import SECRET, UNKNOWN, Log
from review.marked import texts_in

MASK = "[redacted]"

_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(hv[sbr]|[sbr])\.[\w-]{20,}"
    r"|\b(AKIA|ASIA)[A-Z0-9]{16}\b"
    # An AWS secret access key: its slashes would make parts of it look written.
    r"|(?<![\w/+])(?=[\w/+]*[A-Z])(?=[\w/+]*[a-z])(?=[\w/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+])"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}"
    r"|\bAIza[\w-]{30,}|\bsk-[\w-]{20,}|\bhf_\w{20,}|\bAGE-SECRET-KEY-\w+"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}(\.[\w-]*)?"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
    r"|\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b",
    re.DOTALL,
)
# What follows a secret's name in a sentence or an assignment: password=…, "token": "…". A type such
# as index/secret:Secret is neither.
_NAMED = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase)?|secret(?:[_-]?(?:id|key))?|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credentials?)(?:[\"']?\s*=\s*|[\"']\s*:\s*|:\s+)[\"']?)"
    r"([^\s\"',;&)}\]]{4,})"
)
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
# A part of a long word that people write: letters, digits, or a short mixture such as v1beta1.
_WRITTEN = re.compile(r"[A-Za-z]{0,64}|[0-9]{1,8}|[A-Za-z0-9]{1,8}")
_URL_SAFE = str.maketrans("+/", "-_")
_SHORTEST = 6  # a shorter value would take words of the text with it
_HOLDERS = {"kubernetes:core/v1:Secret": ("data", "stringData")}
_DOCUMENTS = ("dataJson", "dataJsonWo", "secretString")


class Redactor:
    """Masks what looks like a secret, and the values that it was told of."""

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        forms = {form for value in known for form in _forms(value)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    @classmethod
    def of(cls, log: Log, stored: frozenset[str]) -> Redactor:
        """One that knows `stored` and the values under secrets' names anywhere in a preview."""
        known = {*stored, *_under_secret_names("", dict(log.config))}
        for step in log.steps:
            for state in filter(None, (step.old, step.new)):
                for part in ("inputs", "outputs"):
                    values = state.get(part) or {}
                    known.update(_under_secret_names("", values))
                    for key in _HOLDERS.get(step.type, ()):
                        known.update(_plain_and_decoded(values.get(key)))
        return cls(frozenset(value for value in known if len(value) >= _SHORTEST))

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            text = self._known.sub(MASK, text)
        text = _SHAPES.sub(MASK, text)
        text = _NAMED.sub(lambda found: found[1] + MASK, text)
        return _LONG.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)


def _forms(value: str) -> Iterator[str]:
    """A value as it stands, and as text that went through something else holds it."""
    yield value
    escaped = json.dumps(value)[1:-1]
    encoded = base64.b64encode(value.encode(errors="replace")).decode().rstrip("=")
    changed = [
        escaped,
        " ".join(value.split()),
        quote(value, safe=""),
        quote(value),
        encoded,
        encoded.translate(_URL_SAFE),
        *_decoded(value),
        *(line for line in map(str.strip, value.splitlines()) if _is_one_word(line)),
    ]
    yield from (form for form in changed if len(form) >= _SHORTEST)


def _is_one_word(line: str) -> bool:
    """Whether a line may be a secret of its own; sentences and keys of a document are none."""
    return " " not in line and not line.endswith(":")


def _decoded(value: str) -> Iterator[str]:
    """The text that base64 holds."""
    with suppress(ValueError):
        yield base64.b64decode(value, validate=True).decode()


def _under_secret_names(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if SECRET not in value:
            for key, inner in value.items():
                yield from _under_secret_names(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _under_secret_names(name, inner)
    elif isinstance(value, str) and value != UNKNOWN:
        if name in _DOCUMENTS:
            yield from texts_in(value)
        elif kind_of(name, value):
            yield value


def _plain_and_decoded(values: Any) -> Iterator[str]:
    """The values of a Kubernetes Secret, as they stand and decoded."""
    if not isinstance(values, Mapping) or SECRET in values:
        return
    for value in values.values():
        if isinstance(value, str):
            yield value
            yield from _decoded(value)


def _is_random(word: str) -> bool:
    """Whether no person wrote it: digits among letters in a part too long to be a version."""
    parts = re.split(r"[-_/=+]+", word)
    return any(not _WRITTEN.fullmatch(part) for part in parts)
