"""The settings' mistakes: one line each, all of them in one error.

Owns the wording. A value that looks like a credential is never repeated in a message.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_CREDENTIAL = re.compile(
    r"\bhv[sbr]\.|\b(AKIA|ASIA)[0-9A-Z]{12}|PRIVATE KEY-----|\bgh[pousr]_\w{20}|\bxox[bp]-"
)


@dataclass(frozen=True)
class Problem:
    """One mistake: `key` is dotted from the top, `also` are further keys that it depends on.

    `file` is where `key` is, when that is not the stack file; without a key all of it is meant.
    """

    key: str
    what: str
    why: str
    fix: str
    also: tuple[str, ...] = ()
    file: str = ""

    def touches(self, keys: Iterable[str]) -> bool:
        """Whether one of `keys` is, contains or lies within a key of this problem."""
        own = (self.key, *self.also)
        return any(_within(a, b) or _within(b, a) for a in own for b in keys)


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


class SettingsError(Exception):
    """The stack's settings are wrong; `problems` are all the mistakes found, `source` the file."""

    def __init__(self, source: str, problems: Iterable[Problem], prefix: str = "strongroom:"):
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.key)))
        count = len(self.problems)
        files = list(dict.fromkeys(problem.file or source for problem in self.problems))
        heading = (
            f"{' and '.join(files)} {'has' if len(files) == 1 else 'have'} "
            f"{count} mistake{'s' if count > 1 else ''}; nothing was changed."
        )
        lines = [
            f"  {_place(p, source, prefix)} {p.what}.\n"
            f"    Why it matters: {p.why}.\n"
            f"    Write instead: {p.fix}."
            for p in self.problems
        ]
        super().__init__("\n".join([heading, *lines]))


def _place(problem: Problem, source: str, prefix: str) -> str:
    if problem.file:
        return f"{problem.file}: {problem.key}".rstrip()
    return f"{source}: {problem.key if ':' in problem.key else prefix + problem.key}"


def looks_like_credential(value: object) -> bool:
    """Whether a text has the form of a known token or key."""
    return isinstance(value, str) and bool(_CREDENTIAL.search(value))


def shown(value: object) -> str:
    """`value` as a message may show it: short, and never a credential."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    if _CREDENTIAL.search(text):
        return "something that looks like a credential"
    return text if len(text) <= 80 else f"{text[:77]}…"


def nearest(name: str, names: Iterable[str]) -> str:
    """What to write instead of an unknown name: the nearest valid one, or all of them."""
    valid = sorted(names)
    section, _, rest = name.partition(".")
    if section in valid and rest:
        return f"`{rest}:` under `{section}:`"
    by_lower = {candidate.lower(): candidate for candidate in valid}
    plain = re.sub(r"[-_\s]", "", name).lower()
    if close := difflib.get_close_matches(plain, by_lower, n=1, cutoff=0.6):
        return f"`{by_lower[close[0]]}`, the nearest valid name"
    return f"one of {', '.join(valid)}"


_KINDS: Mapping[str, str] = {
    "int_type": "a whole number is expected",
    "bool_type": "true or false is expected",
    "string_type": "text is expected (in quotes where YAML would read a number)",
    "model_type": "a mapping of settings is expected",
    "model_attributes_type": "a mapping of settings is expected",
    "dict_type": "a mapping of settings is expected",
    "tuple_type": "a list is expected",
}


def describe(error: Mapping[str, Any]) -> str:
    """What is wrong, from one of pydantic's errors: the value given and what it violates."""
    kind, context = error["type"], error.get("ctx", {})
    value = error.get("input")
    match kind:
        case "setting":
            hidden = looks_like_credential(value)
            return "holds what looks like a credential" if hidden else str(context["what"])
        case "value_error":
            hidden = looks_like_credential(value)
            return "is wrong" if hidden else f"is wrong: {context['error']}"
        case "missing":
            return "is missing"
        case "enum" | "literal_error" | "union_tag_invalid":
            expected = context.get("expected") or context["expected_tags"]
            choices = ", ".join(re.findall(r"'([^']*)'", expected))
            return f"is {shown(context.get('tag', value))}, which is none of {choices}"
        case "union_tag_not_found":
            return "does not say its `type`"
        case "greater_than_equal":
            return f"is {shown(value)}; the least is {context['ge']}"
        case "less_than_equal":
            return f"is {shown(value)}; the most is {context['le']}"
        case "too_short":
            return f"is {shown(value)} of {context['actual_length']} entries"
        case "string_pattern_mismatch":
            return f"is {shown(value)}, which has not the expected form"
    expected = _KINDS.get(kind, str(error["msg"]))
    return f"is {shown(value)}; {expected}"
