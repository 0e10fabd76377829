"""Which parameters a request may carry: Vault's allowed, denied and required parameters.

Owns merging them over several rules for one path, and judging a request's data by them. Values that
are text may hold a `*` at either end; anything else must be equal. A list, also one written as text
with commas, is allowed when each member is, and denied when one is.
Source: Vault documentation, "Policies", section on parameter constraints.
"""

from __future__ import annotations

from collections.abc import Mapping

from access.policy import Capability, Parameters

# The operations whose data Vault looks at; a list or a delete is never judged by its parameters.
JUDGED = frozenset(
    {
        Capability.CREATE,
        Capability.READ,
        Capability.UPDATE,
        Capability.PATCH,
        Capability.RECOVER,
    }
)


def merge(one: Parameters, other: Parameters) -> dict[str, tuple[object, ...]]:
    """The parameters of two rules together: their values add up, and no value means any value."""
    merged = dict(one)
    for name, values in other.items():
        known = merged.get(name)
        merged[name] = (
            () if not values or known == () else (*values, *(known if known is not None else ()))
        )
    return merged


def refusal(
    data: Mapping[str, object],
    *,
    allowed: Parameters,
    denied: Parameters,
    required: tuple[str, ...],
) -> str | None:
    """Why a request with `data` is refused, or None when its parameters are fine."""
    for name in required:
        if name.lower() not in data:
            return f"the parameter {name} is required and missing"
    if not data:
        return None
    if "*" in denied:
        return "every parameter is denied"
    for name, value in data.items():
        values = denied.get(name.lower())
        if values is not None and any(_among(part, values) for part in (value, *_parts(value))):
            return f"the parameter {name} is denied" + (" with this value" if values else "")
    if not allowed or set(allowed) == {"*"}:
        return None
    for name, value in data.items():
        values = allowed.get(name.lower())
        if values is None and "*" not in allowed:
            return f"the parameter {name} is not among the allowed ones"
        if values is not None and not _all_among(value, values):
            return f"the parameter {name} is allowed, but not with this value"
    return None


def _all_among(value: object, values: tuple[object, ...]) -> bool:
    if _among(value, values):
        return True
    return isinstance(value, str | list) and all(_among(part, values) for part in _parts(value))


def _parts(value: object) -> list[object]:
    """The members of a list; text is one, too, to Vault: it may be a comma-separated list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if value else []
    return list(value) if isinstance(value, list) else []


def _among(value: object, values: tuple[object, ...]) -> bool:
    return not values or any(_equal(pattern, value) for pattern in values)


def _equal(pattern: object, value: object) -> bool:
    if not (isinstance(pattern, str) and isinstance(value, str)):
        return type(pattern) is type(value) and pattern == value
    if len(pattern) < 2:  # a lone "*" is no pattern to Vault
        return pattern == value
    starts, ends = pattern.endswith("*"), pattern.startswith("*")
    text = pattern[1 if ends else 0 : -1 if starts else None]
    if starts and ends:
        return text in value
    if starts:
        return value.startswith(text)
    return value.endswith(text) if ends else value == text
