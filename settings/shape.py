"""Turns pydantic's errors into problems, and a wrong mapping into the nearest usable one.

Owns how an error's place is found in the models, so that each problem carries the field's own
reason and example. The repaired mapping exists only so that the rules between settings can report
their problems together with these; it is never deployed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from settings.errors import Problem, describe, looks_like_credential, nearest

Path = list[int | str]

# What a repaired mapping has where a required value was missing or wrong.
_PLACEHOLDERS: Mapping[str, Any] = {
    "environment": "dev",
    "network": {"apiServer": {"cidrs": ["192.0.2.0/24"], "port": 443}},
    "vault": {
        "address": "https://vault.invalid:8200",
        "seal": {"type": "shamir", "acceptManualUnseal": True},
        "custodian": {"type": "pgp", "path": "-", "keys": ["-", "-"], "shares": 2, "threshold": 2},
    },
}
_REPAIRS = 5


def problems_of(invalid: ValidationError, root: type[BaseModel]) -> list[Problem]:
    """Each of pydantic's errors as a Problem, with the reason and the example of its field."""
    problems = []
    errors = invalid.errors(include_url=False)
    locations = [_field_at(error["loc"], root)[0] for error in errors]
    for error in errors:
        path, model, why, write = _field_at(error["loc"], root)
        within = [other for other in locations if other[: len(path)] == path and other != path]
        if error["type"] == "too_short" and within:
            continue  # pydantic counts the good entries only; the bad ones have their own error
        what = describe({**error})
        if error["type"].startswith("union_tag"):
            path.append("type")
        if error["type"] == "extra_forbidden":
            names = [field.alias or name for name, field in model.model_fields.items()]
            what = "is no setting"
            why = "a misspelt setting would silently have no effect"
            write = nearest(str(path[-1]), names)
        problems.append(Problem(dotted(path), what, why, write))
    return problems


def repaired(
    given: Mapping[str, Any], root: type[BaseModel], defaults: Mapping[str, Any]
) -> BaseModel | None:
    """`given` without what is wrong in it, as a model; None when it cannot be mended."""
    mapping = copy.deepcopy(dict(given))
    for _ in range(_REPAIRS):
        try:
            return root.model_validate(mapping)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False, include_input=False):
                path = _field_at(error["loc"], root)[0]
                fillable = error["type"] == "missing" and _has(_PLACEHOLDERS, path)
                if not fillable:
                    _remove(mapping, path[:-1] if error["type"] == "missing" else path)
        _fill(mapping, defaults)
        _fill(mapping, _PLACEHOLDERS)
    return None


def credentials_in(value: Any, path: Path) -> Iterator[Problem]:
    """A problem for each text in `value` that looks like a token or a private key."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from credentials_in(item, [*path, str(name)])
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from credentials_in(item, [*path, index])
    elif looks_like_credential(value):
        yield Problem(
            dotted(path),
            "holds what looks like a credential",
            "stack files are committed, so whoever reads the repository has it",
            "where the credential is kept, never itself; and revoke this one",
        )


def dotted(path: Path) -> str:
    """`vault.seal.type`, `namespaces[2].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _field_at(
    loc: tuple[int | str, ...], root: type[BaseModel]
) -> tuple[Path, type[BaseModel], str, str]:
    """Follow `loc` from `root`: key without union tags, model it stands in, reason, example."""
    owner = model = root
    choices: list[type[BaseModel]] = []
    path: Path = []
    why, write = "", ""
    for part in loc:
        tagged = [choice for choice in choices if _tag(choice) == part]
        if len(choices) > 1 and tagged:
            model, choices = tagged[0], []
            continue
        path.append(part)
        if isinstance(part, int):
            continue
        owner = model
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                why = field.description or why
                write = str((field.examples or [write])[0])
                choices = list(_models_in(field.annotation))
                model = choices[0] if choices else model
    return path, owner, why, write


def _tag(model: type[BaseModel]) -> str:
    field = model.model_fields.get("type")
    return str(get_args(field.annotation)[0]) if field else ""


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _remove(mapping: dict[str, Any], path: Path) -> None:
    """Drop the value at `path`; the whole list when it lies within one."""
    in_list = next((at for at, part in enumerate(path) if isinstance(part, int)), len(path))
    *parents, last = path[:in_list] or [""]
    below: Any = mapping
    for part in parents:
        below = below.get(part) if isinstance(below, dict) else None
    if isinstance(below, dict):
        below.pop(last, None)


def _has(mapping: Any, path: Path) -> bool:
    for part in path:
        if not isinstance(mapping, Mapping) or part not in mapping:
            return False
        mapping = mapping[part]
    return True


def _fill(mapping: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Put in what is missing. A section that chooses a `type` is taken whole or not at all."""
    for key, value in source.items():
        present = mapping.setdefault(key, copy.deepcopy(value))
        if isinstance(present, dict) and isinstance(value, Mapping) and "type" not in value:
            _fill(present, value)
