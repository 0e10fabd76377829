"""The documents in a manifest's text: YAML, or JSON as tools write it."""

from __future__ import annotations

import json
from typing import Any

import yaml


def parse(text: str) -> list[Any]:
    """Every document that is not empty. Raises ValueError, which names a line and no content."""
    try:
        return [json.loads(text)]  # YAML does not take the tabs that sops indents with
    except ValueError:
        pass
    try:
        return [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError(f"no YAML{f' (line {mark.line + 1})' if mark else ''}") from None
