"""Grants in files: a folder beside the stack files, a YAML list in each file, one file a team.

Owns reading them, and that a mistake is told with its own file and place. Knows nothing of what a
grant means. Why there are files at all: docs/decisions/0006-very-many-grants.md.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from settings.errors import Problem

_INDEX = re.compile(r"grants\[(\d+)\](.*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class GrantFiles:
    """`rows` are the grants of every file in turn, `places` the file and position of each."""

    rows: tuple[Any, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    problems: tuple[Problem, ...] = ()

    def located(self, problems: Iterable[Problem], *, own: int) -> list[Problem]:
        """`problems` of a list of `own` grants and these; those of these name their file."""
        return [self._located(problem, own) for problem in problems]

    def _located(self, problem: Problem, own: int) -> Problem:
        found = _INDEX.fullmatch(problem.key)
        if found is None or int(found[1]) < own:
            return problem
        file, position = self.places[int(found[1]) - own]
        return replace(problem, key=f"[{position}]{found[2]}", file=file)


def gather(folder: str) -> GrantFiles:
    """The grants of every `.yaml` file in `folder`, in the order of their names.

    What is wrong with a folder or a file comes out as problems; the other files are read still.
    """
    try:
        found = sorted(Path(folder).iterdir())
    except OSError as reason:
        return _nothing_in(folder, f"which cannot be listed: {reason.strerror}")
    files = [file for file in found if not file.name.startswith(".") and file.suffix != ".md"]
    if not files:
        return _nothing_in(folder, "which holds no .yaml file")
    rows: list[Any] = []
    places: list[tuple[str, int]] = []
    problems = []
    for file in files:
        listed = _list_in(file)
        if isinstance(listed, Problem):
            problems.append(listed)
            continue
        rows += listed
        places += [(str(file), position) for position in range(len(listed))]
    return GrantFiles(rows=tuple(rows), places=tuple(places), problems=tuple(problems))


def _nothing_in(folder: str, what: str) -> GrantFiles:
    problem = Problem(
        "grantFiles",
        f"names {folder!r}, {what}",
        "every grant in it would be taken away",
        "the path of a folder with .yaml files, from the one that Pulumi.yaml is in",
    )
    return GrantFiles(problems=(problem,))


def _list_in(file: Path) -> list[Any] | Problem:
    if file.suffix != ".yaml" or not file.is_file():
        return _unread(
            file,
            "is no .yaml file",
            "nobody would see that it is left out",
            "NAME.yaml in one list",
        )
    try:
        found = yaml.load(file.read_text(), _OneOfEachKey)  # noqa: S506 -- a safe loader
    except yaml.MarkedYAMLError as reason:
        line = f", line {reason.problem_mark.line + 1}" if reason.problem_mark else ""
        what = f"is no YAML: {reason.problem}{line}"
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as reason:
        what = f"cannot be read: {reason}"
    else:
        if isinstance(found, list):
            return found
        what = "is empty" if found is None else "is no list"
    return _unread(
        file, what, "the grants in it would be taken away", "a list of grants, or `[]` for none"
    )


def _unread(file: Path, what: str, why: str, write: str) -> Problem:
    return Problem("", what, why, write, file=str(file))


class _OneOfEachKey(yaml.CSafeLoader):
    """Refuses what YAML lets pass: of two equal keys the last one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is there twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)
