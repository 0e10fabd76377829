"""The frameworks and their controls, from the files of `catalogue/`.

Owns the files' form. A framework that the rules cite themselves (`cited_as`) takes its rules from
there, so that a new rule is in the report by citing a control; others name rules in the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from compliance.model import Control, Framework
from policies.rule import Requirement

FOLDER = Path(__file__).with_name("catalogue")
_FRAMEWORK = frozenset({"name", "edition", "scope", "cited_as", "controls"})
_CONTROL = frozenset({"id", "title", "rules", "checks", "why"})


class CatalogueError(ValueError):
    """A file of the catalogue that says something which is not so."""


def frameworks(
    rules: Iterable[Requirement], checks: Collection[str], folder: Path = FOLDER
) -> tuple[Framework, ...]:
    """Every framework, in the order of the files' names. Raises CatalogueError."""
    known = tuple(rules)
    return tuple(
        _framework(path, yaml.safe_load(path.read_text()), known, checks)
        for path in sorted(folder.glob("*.yaml"))
    )


def _framework(
    path: Path, document: Mapping[str, Any], rules: tuple[Requirement, ...], checks: Collection[str]
) -> Framework:
    if unknown := set(document) - _FRAMEWORK:
        raise CatalogueError(f"{path.name}: unknown {', '.join(sorted(unknown))}")
    cited_as = document.get("cited_as")
    controls = tuple(_control(path, entry, rules, cited_as) for entry in document["controls"])
    for problem in _problems(controls, {rule.id for rule in rules}, checks):
        raise CatalogueError(f"{path.name}: {problem}")
    if cited_as:
        named = {control.id for control in controls}
        for cited in sorted(_citations(rules, cited_as) - named):
            raise CatalogueError(f"{path.name}: a rule cites {cited}, which is no control here")
    return Framework(
        id=path.stem,
        name=document["name"],
        edition=document["edition"],
        scope=document["scope"],
        controls=controls,
    )


def _control(
    path: Path, entry: Mapping[str, Any], rules: tuple[Requirement, ...], cited_as: str | None
) -> Control:
    if unknown := set(entry) - _CONTROL:
        raise CatalogueError(
            f"{path.name}, {entry.get('id')}: unknown {', '.join(sorted(unknown))}"
        )
    citing = (r.id for r in rules if cited_as and f"{cited_as} {entry['id']}" in r.frameworks)
    return Control(
        id=str(entry["id"]),
        title=entry["title"],
        rules=tuple(dict.fromkeys((*citing, *(entry.get("rules") or ())))),
        checks=tuple(entry.get("checks") or ()),
        why=entry.get("why") or "",
    )


def _problems(
    controls: tuple[Control, ...], rules: Collection[str], checks: Collection[str]
) -> Iterator[str]:
    ids = [control.id for control in controls]
    yield from (f"{twice} is there twice" for twice in {i for i in ids if ids.count(i) > 1})
    for control in controls:
        yield from (f"{control.id}: no rule {r!r}" for r in control.rules if r not in rules)
        yield from (f"{control.id}: no check {c!r}" for c in control.checks if c not in checks)
        if bool(control.why) is bool(control.rules or control.checks):
            yield f"{control.id}: name rules or checks, or say why there are none"


def _citations(rules: Iterable[Requirement], cited_as: str) -> set[str]:
    return {
        reference.removeprefix(f"{cited_as} ")
        for rule in rules
        for reference in rule.frameworks
        if reference.startswith(f"{cited_as} ")
    }
