"""Vault's precedence a second time, written from its documentation and in another way.

Slow and plain on purpose: every rule is turned into a regular expression, and two rules that cover
a path are compared criterion by criterion, as the documentation lists them.
"""

from __future__ import annotations

import re
from functools import cmp_to_key

from access.policy import PathRule, Policy


def capabilities(policies: list[Policy], path: str) -> set[str]:
    """What Vault's `sys/capabilities` answers for the path."""
    rules = [rule for policy in policies for rule in policy.rules]
    for asked in dict.fromkeys((path, path.removesuffix("/"))):
        if exact := [rule for rule in rules if rule.path == asked and not _is_pattern(rule)]:
            return _together(exact)
    for asked in dict.fromkeys((path.removesuffix("/"), path)):
        covering = [rule for rule in rules if _is_pattern(rule) and _expression(rule).match(asked)]
        if covering:
            best = max(covering, key=cmp_to_key(_compare))
            return _together([rule for rule in covering if rule.path == best.path])
    return {"deny"}


def _together(rules: list[PathRule]) -> set[str]:
    said = {capability.value for rule in rules for capability in rule.capabilities}
    return {"deny"} if "deny" in said or not said else said


def _is_pattern(rule: PathRule) -> bool:
    return rule.path.endswith("*") or "+" in rule.path.split("/")


def _expression(rule: PathRule) -> re.Pattern[str]:
    text = rule.path.removesuffix("*")
    parts = ["[^/]*" if part == "+" else re.escape(part) for part in text.split("/")]
    return re.compile("/".join(parts) + (".*" if rule.path.endswith("*") else "") + r"\Z")


def _compare(one: PathRule, other: PathRule) -> int:
    """Negative when `one` has the lower priority."""
    mine, its = _criteria(one), _criteria(other)
    for ours, theirs in zip(mine, its, strict=True):
        if ours != theirs:
            return 1 if ours > theirs else -1
    return (one.path > other.path) - (one.path < other.path)


def _criteria(rule: PathRule) -> list[int]:
    """In the documentation's order; the greater number has the higher priority."""
    first_wildcard = min(
        (index for index, letter in enumerate(rule.path) if letter in "+*"), default=len(rule.path)
    )
    return [
        first_wildcard,
        0 if rule.path.endswith("*") else 1,
        -rule.path.split("/").count("+"),
        len(rule.path.removesuffix("*")),
    ]
