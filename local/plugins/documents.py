"""What a policy document says, apart from how it is written.

Owns the comparison only. Services give documents back with other spaces, key order and single
values for lists of one; none of that is a change.
"""

from __future__ import annotations

import json
from typing import Any


def meaning(text: Any) -> Any:
    """The document in one form for all spellings of it; what is no JSON text stays as it is."""
    try:
        return _one_form(json.loads(text))
    except (TypeError, ValueError):
        return text


def _one_form(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _one_form(member) for key, member in value.items()}
    if isinstance(value, list):
        items = [_one_form(item) for item in value]
        if all(isinstance(item, str) for item in items):
            items = sorted(set(items))
        return items[0] if len(items) == 1 else items
    return value
