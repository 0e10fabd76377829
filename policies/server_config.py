"""A Vault server's configuration, wherever it is kept: a file, a ConfigMap, or Helm values.

Owns the finding and the parsing. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hcl2.api import loads

from policies.view import NotKnown, View

IN_CHART = (("ha", "raft", "config"), ("ha", "config"), ("standalone", "config"))


def configs(properties: View) -> Iterator[View]:
    """The parsed configurations in a resource. Raises NotKnown for one that cannot be read."""
    yield from _texts([properties["config"]])
    yield from _texts(value for key, value in properties["data"].items() if key.endswith(".hcl"))
    server = properties["values"]["server"]
    yield from _texts(server.at(*path) for path in IN_CHART)


def blocks(config: View, kind: str) -> Iterator[tuple[str, View]]:
    """The blocks of a kind, such as `listener`: their label and their content."""
    for entry in config[kind].entries():
        yield from entry.items()


def _texts(places: Iterable[View]) -> Iterator[View]:
    for place in places:
        text = place.text()
        if any(f"{word} " in text for word in ("listener", "storage")):
            yield View(_parse(text, place.path), place.path)


def _parse(text: str, path: str) -> Any:
    try:
        return loads(text + "\n")
    except Exception as error:  # the parser's own exceptions are many and unnamed
        raise NotKnown(path, "is no HCL that can be read") from error
