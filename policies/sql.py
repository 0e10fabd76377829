"""The words of SQL statements, for rules that look for dangerous ones.

Owns the tokens: comments, quoted names and string values are no words. Understands no grammar, and
no dialect: where one would read a quote or a comment otherwise, everything counts as a word.
Source: HashiCorp, "PostgreSQL database plugin", forms of `creation_statements`.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?\*/)
    | '(?:[^']|'')*'              # value
    | "(?P<name>(?:[^"]|"")*)"    # quoted name
    | `[^`]*`                     # quoted name, MySQL
    | (?P<word>[A-Za-z_][\w$]*)
    | (?P<sign>[*.;,()])
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"(?P<word>[A-Za-z_]\w*)|(?P<sign>[*.;,()])")
# Escaped quotes, dollar quotes, MySQL's comments and the ones that it runs.
_AMBIGUOUS = re.compile(r"\\|\$\w*\$|\#|/\*!")


def as_run(statement: str) -> str:
    """The SQL that Vault runs: it takes base64, and a list that is written as JSON, too."""
    text = statement.strip()
    with suppress(ValueError):  # it is not base64, or no text
        text = base64.b64decode(text, validate=True).decode()
    try:
        listed = json.loads(text)
    except ValueError:
        return text
    return ";\n".join(map(str, listed)) if isinstance(listed, list) else text


def words(statement: str) -> list[str]:
    """The words and signs of a statement, in upper case."""
    text = as_run(statement)
    token = _PLAIN if _AMBIGUOUS.search(text) else _TOKEN
    found = (match.group("word") or match.group("sign") for match in token.finditer(text))
    return [token.upper() for token in found if token]


def names(statement: str) -> set[str]:
    """Words that may be names, quoted or not, in upper case."""
    quoted = (match.group("name") for match in _TOKEN.finditer(as_run(statement)))
    return {*words(statement), *(name.upper() for name in quoted if name)}


def phrase(statement: str, *wanted: str) -> bool:
    """Whether the words stand in the statement one after the other."""
    tokens = words(statement)
    return any(
        tuple(tokens[start : start + len(wanted)]) == wanted
        for start in range(len(tokens) - len(wanted) + 1)
    )


def uncommented(statement: str) -> str:
    """The SQL that Vault runs, without comments."""
    return _TOKEN.sub(lambda token: " " if token["comment"] else token[0], as_run(statement))
