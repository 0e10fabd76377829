"""A Vault server's configuration, wherever it is kept: a file, a ConfigMap, or Helm values.

Owns the finding and the parsing: to Vault HCL and JSON are the same, and so are small and capital
letters in keys. Judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hcl2.api import loads

from access.policy_hcl import of_json
from policies.view import NotKnown, View

_IS_HCL = re.compile(r'^\s*"?(listener|storage)\b', re.MULTILINE | re.IGNORECASE)
# Many programs keep a "storage" in JSON; a listener beside it is Vault's.
_IS_JSON = re.compile(r'^\s*\{.*"listener"\s*:', re.DOTALL | re.IGNORECASE)
IN_CHART = (("ha", "raft", "config"), ("ha", "config"), ("standalone", "config"))


def configs(properties: View) -> Iterator[View]:
    """The parsed configurations in a resource. Raises NotKnown for one that cannot be read."""
    yield from _texts([properties["config"]])
    files = properties["data"].items()
    yield from _texts(value for key, value in files if key.endswith((".hcl", ".json")))
    server = properties["values"]["server"]
    yield from _texts(server.at(*path) for path in IN_CHART)


def blocks(config: View, kind: str) -> Iterator[tuple[str, View]]:
    """The blocks of a kind, such as `listener`: their label and their content."""
    for entry in config[kind].entries():
        for label, contents in entry.items():
            for content in contents.entries():
                yield label, content


def _texts(places: Iterable[View]) -> Iterator[View]:
    for place in places:
        if isinstance(place.value, Mapping):
            yield View(_lowered(place.value), place.path)
            continue
        text = place.text()
        if _IS_JSON.search(text):
            yield View(_parse(of_json, text, place.path), place.path)
        elif _IS_HCL.search(text):
            yield View(_parse(loads, text + "\n", place.path), place.path)


def _lowered(value: Any) -> Any:
    """The value with all keys in small letters; what two spellings hold is put together."""
    if isinstance(value, list):
        return [_lowered(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    lowered: dict[str, Any] = {}
    for key, each in value.items():
        name, read = str(key).lower(), _lowered(each)
        known = lowered.get(name)
        lowered[name] = (
            [*known, *read] if isinstance(known, list) and isinstance(read, list) else read
        )
    return lowered


def _parse(read: Callable[[str], Any], text: str, path: str) -> Any:
    try:
        return _lowered(read(text))
    except Exception as error:  # the parser's own exceptions are many and unnamed
        raise NotKnown(path, "is no HCL and no JSON that can be read") from error
