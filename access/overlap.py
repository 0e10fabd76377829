"""Which requests two Vault paths have in common. Pure geometry of patterns; grants nothing.

A pattern is what `access.policy.PathRule.path` may be: `+` stands for one whole segment, a trailing
`*` for every continuation of the text before it.
"""

from __future__ import annotations

UNNAMED = "zz-unnamed"
"""Stands in a witness for a name that nobody wrote: it shows what a wildcard reaches."""


def witness(one: str, other: str, unnamed: str = UNNAMED) -> str | None:
    """A path that both patterns cover, as unlikely to be named as possible; None if there is none.

    `unnamed` stands where both are wild. `+` never covers an empty segment here, though Vault lets
    it.
    """
    a, b = _segments(one), _segments(other)
    path = []
    for index in range(max(len(a), len(b))):
        joined = _join(_at(a, one, index), _at(b, other, index))
        if joined is None:
            return None
        path.append(joined)
    concrete = [
        unnamed if segment in ("+", "*") else segment.replace("*", unnamed) for segment in path
    ]
    return "/".join(concrete)


def covers(wide: str, narrow: str) -> bool:
    """Whether every request that `narrow` covers is covered by `wide`."""
    a, b = _segments(wide), _segments(narrow)
    if not wide.endswith("*"):
        return (
            not narrow.endswith("*")
            and len(a) == len(b)
            and all(mine in ("+", its) for mine, its in zip(a, b, strict=True))
        )
    if len(b) < len(a):
        return False
    *whole, last = a
    if any(
        mine not in ("+", its) or its.endswith("*") for mine, its in zip(whole, b, strict=False)
    ):
        return False
    prefix, its = last[:-1], b[len(whole)]
    return its.startswith(prefix) and (its != "+" or not prefix)


def _segments(pattern: str) -> list[str]:
    return pattern.removeprefix("/").split("/")


def _at(segments: list[str], pattern: str, index: int) -> str | None:
    """The pattern of one segment; beyond a trailing `*` anything, beyond the end nothing."""
    if index < len(segments):
        return segments[index]
    return "*" if pattern.endswith("*") else None


def _join(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return None
    for wild, fixed in ((one, other), (other, one)):
        if wild == "+":
            return fixed
    for wild, fixed in ((one, other), (other, one)):
        if wild.endswith("*") and fixed.startswith(wild[:-1]):
            return fixed
    return one if one == other else None
