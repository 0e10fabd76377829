"""The words of SQL statements, for rules that look for dangerous ones.

Owns the tokens: comments, quoted names and string values are no words. Understands no grammar.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""
      --[^\n]*                    # comment to the end of the line
    | /\*.*?\*/                   # comment
    | '(?:[^']|'')*'              # value
    | "(?:[^"]|"")*"              # quoted name
    | `[^`]*`                     # quoted name, MySQL
    | (?P<word>[A-Za-z_][\w$]*)
    | (?P<sign>[*.;,()])
    """,
    re.VERBOSE | re.DOTALL,
)


def words(statement: str) -> list[str]:
    """The words and signs of a statement, in upper case."""
    found = (match.group("word") or match.group("sign") for match in _TOKEN.finditer(statement))
    return [token.upper() for token in found if token]


def phrase(statement: str, *wanted: str) -> bool:
    """Whether the words stand in the statement one after the other."""
    tokens = words(statement)
    return any(
        tuple(tokens[start : start + len(wanted)]) == wanted
        for start in range(len(tokens) - len(wanted) + 1)
    )
