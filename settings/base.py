"""What every section of the settings has in common, and how a field explains itself.

Owns the pydantic base class and the helper that gives each field its reason and an example; both
end up in error messages. Holds no setting of its own.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """A frozen group of settings: camelCase in YAML, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def setting(default: Any = ..., *, why: str, write: str, **constraints: Any) -> Any:
    """Declare a field. `why` says what the value decides, `write` is a value that is accepted."""
    return Field(default, description=why, examples=[write], **constraints)
