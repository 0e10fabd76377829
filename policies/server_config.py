"""A Vault server's configuration, wherever it is kept: a file, a ConfigMap, or Helm values.

Owns the finding and the parsing; HCL and JSON are the same to Vault. Judges nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hcl2.api import loads

from policies.view import NotKnown, View

_IS_HCL = re.compile(r'^\s*"?(listener|storage)\b', re.MULTILINE)
# Many programs keep a "storage" in JSON; a listener beside it is Vault's.
_IS_JSON = re.compile(r'^\s*\{.*"listener"\s*:', re.DOTALL)
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
            yield place
            continue
        text = place.text()
        if _IS_JSON.search(text):
            yield View(_parse(json.loads, text, place.path), place.path)
        elif _IS_HCL.search(text):
            yield View(_parse(loads, text + "\n", place.path), place.path)


def _parse(read: Callable[[str], Any], text: str, path: str) -> Any:
    try:
        return read(text)
    except Exception as error:  # the parser's own exceptions are many and unnamed
        raise NotKnown(path, "is no HCL and no JSON that can be read") from error
