"""A Python interpreter and installed distributions, as parts of an image.

Owns what is taken over: the interpreter that runs this, its standard library without tests and
windows, both where they lie on this machine, and the closure of the distributions asked for, below
`SITE`.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.images import base
from local.images.entries import Entry, File, Link

SITE = "/usr/lib/strongroom/site-packages"
_LEFT_OUT = frozenset(
    {
        *("__pycache__", "ensurepip", "idlelib", "lib2to3", "test", "tests", "tkinter"),
        *("dist-packages", "site-packages", "turtledemo", "turtle.py"),
    }
)
# Parts of the standard library for windows, terminals and the interpreter's own tests.
_LEFT_OUT_MODULES = ("_curses", "_test", "_tkinter", "_xx", "nis.", "ossaudiodev", "readline", "xx")


def python(distributions: Iterable[str], application: Mapping[str, Path]) -> tuple[Entry, ...]:
    """The interpreter as /usr/local/bin/python3 with the distributions and what they need.

    `application` maps paths in the image to files of the application. Raises ImageError when a
    library is not installed, PackageNotFoundError for a distribution that is not.
    """
    program = Path(sys.executable).resolve()
    files = {
        **{path: path for path in (program, *_standard_library())},
        **{
            Path(SITE, inside): file
            for name in _closure(distributions)
            for inside, file in _files(distribution(name))
        },
        **{Path("/", where): file for where, file in application.items()},
    }
    linked = {where: file for where, file in files.items() if _is_linked(file, program)}
    needed = {entry.path: entry for entry in base.libraries(linked.values())}
    made = {entry.path: entry for entry in base.folders(files)}
    copied = {
        str(where).lstrip("/"): File(
            str(where).lstrip("/"), file.resolve(), 0o755 if where in linked else 0o644
        )
        for where, file in files.items()
    }
    unique = {**made, **needed, **copied}
    return (*(unique[path] for path in sorted(unique)), Link("usr/local/bin/python3", str(program)))


def _is_linked(file: Path, program: Path) -> bool:
    return file == program or file.suffix == ".so"


def _standard_library() -> Iterator[Path]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        left_out = _LEFT_OUT.intersection(inside.parts) or inside.parts[0].startswith("config-")
        if path.is_file() and not left_out and not path.name.startswith(_LEFT_OUT_MODULES):
            yield path


def _closure(names: Iterable[str]) -> list[str]:
    """The distributions named and all that they need on this machine."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        needs = [Requirement(text) for text in distribution(name).requires or []]
        waiting += [
            canonicalize_name(need.name)
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]
    return sorted(found)


def _files(found: Distribution) -> Iterator[tuple[Path, Path]]:
    """The files of a distribution by their places below the site folder, without scripts."""
    for inside in found.files or []:
        file = Path(str(found.locate_file(inside)))
        if ".." not in inside.parts and not _LEFT_OUT.intersection(inside.parts) and file.is_file():
            yield Path(inside), file
