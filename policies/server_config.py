"""A Vault server's configuration, wherever it is kept: a file, a ConfigMap, or Helm values.

Owns the finding and the parsing. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """The blocks of a kind: their label (empty without one), and their content."""
    for entry in config[kind].entries():
        content = list(entry.items())
        labels = [key for key, body in content if isinstance(body.value, Mapping | list)]
        if len(content) == len(labels) == 1:
            yield content[0][0], next(content[0][1].entries())
        elif content:
            yield "", entry


def _texts(places: Any) -> Iterator[View]:
    for place in places:
        text = place.text()
        if any(f"{word} " in text or f"{word}{{" in text for word in ("listener", "storage")):
            yield View(_parse(text, place.path), place.path)


def _parse(text: str, path: str) -> Any:
    try:
        return _plain(loads(text + "\n"))
    except Exception as error:  # the parser's own exceptions are many and unnamed
        raise NotKnown(path, "is no HCL that can be read") from error


def _plain(value: Any) -> Any:
    """The parser's value without its quotes and marks."""
    if isinstance(value, Mapping):
        return {
            key.strip('"'): _plain(each) for key, each in value.items() if not key.startswith("__")
        }
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value
