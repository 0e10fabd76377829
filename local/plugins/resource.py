"""What a stand-in plugin knows about one resource type.

Owns the shape of the knowledge; the types themselves are in the plugins' own packages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from local.plugins.documents import meaning

Values = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One input. `replace` means that a changed value needs a new resource.

    `computed`: the service chooses a value when the program gives none, and leaving the input out
    later keeps that value. `document`: JSON text, compared by its meaning.
    """

    replace: bool = False
    required: bool = False
    default: Any = None
    computed: bool = False
    document: bool = False

    def same(self, old: Any, new: Any) -> bool:
        """Whether `new` asks for nothing that `old` is not; empty means the same as absent."""
        if self.computed and new is None:
            return True
        if self.document:
            return bool(meaning(old) == meaning(new))
        return bool(_empty_as_none(old) == _empty_as_none(new))


def _empty_as_none(value: Any) -> Any:
    return None if value in ("", [], {}) else value


@dataclass(frozen=True)
class Made:
    """A resource as it exists now: its id and its properties; inputs may be among them."""

    id: str
    properties: Values


class ResourceType(ABC):
    """One resource type: its inputs, outputs and life.

    `fields` and `outputs` use the names of the Pulumi schema. `automatic_name` is the input that
    gets a generated name when the program gives none, so that a replacement can exist beside its
    predecessor; `name_prefix` comes before such a name.
    """

    token: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    outputs: ClassVar[Collection[str]]
    secret_outputs: ClassVar[Collection[str]] = ()
    automatic_name: ClassVar[str | None] = None
    name_prefix: ClassVar[str] = ""
    delete_before_replace: ClassVar[bool] = False

    def completed(self, inputs: Values) -> Values:
        """Inputs with what is derived from them, before they are compared."""
        return inputs

    def mistakes(self, inputs: Values) -> Mapping[str, str]:
        """What is wrong with the inputs beyond their names: a reason by input name."""
        del inputs
        return {}

    @abstractmethod
    def create(self, inputs: Values) -> Made:
        """Make the resource."""

    @abstractmethod
    def read(self, identity: str, state: Values) -> Values | None:
        """The properties as they are now, inputs among them; None when the resource is gone."""

    def update(self, identity: str, old: Values, new: Values) -> Values:
        """Change the resource in place; returns its properties, inputs may be among them."""
        del old, new
        raise NotImplementedError(f"{self.token} {identity} has no input that changes in place")

    @abstractmethod
    def delete(self, identity: str, state: Values) -> None:
        """Remove the resource; one that is gone already is no error."""
