"""`Settings`: every section of a stack's configuration as one frozen, checked value.

Owns parsing: the environment's defaults, the shape of each section, the rules between sections,
and that all mistakes come out together. Reads no file and knows nothing of the engine.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from settings import environments
from settings.base import Section, setting
from settings.cloud import Aws, Cloud, Gcp
from settings.environments import Environment
from settings.errors import Problem, SettingsError, describe, looks_like_credential, nearest
from settings.grants import Grant
from settings.kubernetes import NAMESPACES, Kubernetes, Namespace, Network, ServiceAccount
from settings.rules import broken_rules
from settings.types import Flag
from settings.vault import Vault


class Settings(Section):
    """The whole configuration of one stack."""

    environment: Environment = setting(
        why="sizes, protection and the strictness of every check follow from it", write="prod"
    )
    protect: Flag = setting(
        why="a protected resource cannot be deleted by a deployment", write="true"
    )
    cloud: Cloud = setting(
        Cloud.NONE, why="keys, custody and rotating secrets come from there", write="aws"
    )
    kubernetes: Kubernetes = setting(
        Kubernetes(), why="everything is deployed to that cluster", write="{context: my-cluster}"
    )
    network: Network = setting(
        why="network policies drop everything that is not named",
        write='{apiServer: {cidrs: ["10.0.0.0/16"], port: 6443}}',
    )
    vault: Vault = setting(why="it is the heart of the platform", write="see Pulumi.dev.yaml")
    aws: Aws | None = setting(
        None, why="keys and secrets are created there", write="{region: eu-central-1}"
    )
    gcp: Gcp | None = setting(
        None,
        why="keys and secrets are created there",
        write="{project: example-project, region: europe-west3}",
    )
    namespaces: tuple[Namespace, ...] = setting(
        NAMESPACES, why="workloads live in them", write="[{name: ml-training, purpose: training}]"
    )
    service_accounts: tuple[ServiceAccount, ...] = setting(
        (), why="workloads run as them", write="[{name: ml-app-sa, namespace: ml-training}]"
    )
    grants: tuple[Grant, ...] = setting(
        (), why="nobody reads a secret without one", write="see docs/ for an example"
    )

    @classmethod
    def parse(cls, mapping: Mapping[str, Any], *, source: str) -> Settings:
        """Check `mapping` (camelCase keys, without the `strongroom:` prefix).

        `source` names the file in messages. Raises SettingsError with every mistake at once.
        """
        given = _with_defaults(mapping)
        problems = list(_credentials(mapping))
        try:
            settings = cls.model_validate(given)
        except ValidationError as invalid:
            shape, repaired = _shape_problems(invalid, given, mapping)
            problems += [p for p in shape if not p.touches([known.key for known in problems])]
            wrong = [problem.key for problem in problems]
            try:
                settings = cls.model_validate(repaired)
            except ValidationError:
                raise SettingsError(source, problems) from None
            problems += [p for p in broken_rules(settings) if not p.touches(wrong)]
            raise SettingsError(source, problems) from None
        problems += broken_rules(settings)
        if problems:
            raise SettingsError(source, problems)
        return settings


def _with_defaults(mapping: Mapping[str, Any]) -> dict[str, Any]:
    try:
        environment = Environment(mapping.get("environment", ""))
    except ValueError:
        environment = Environment.DEV
    return environments.overlay(environments.defaults(environment), mapping)


def _credentials(value: Any, key: str = "") -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _credentials(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _credentials(item, f"{key}[{index}]")
    elif looks_like_credential(value):
        yield Problem(
            key,
            "holds what looks like a credential",
            "stack files are committed, so whoever reads the repository has it",
            "where the credential is kept, never itself; and revoke this one",
        )


def _shape_problems(
    invalid: ValidationError, given: Mapping[str, Any], mapping: Mapping[str, Any]
) -> tuple[list[Problem], dict[str, Any]]:
    """Each of pydantic's errors as a Problem, and `given` without the values that caused them."""
    repaired = copy.deepcopy(dict(given))
    problems = []
    for error in invalid.errors(include_url=False):
        path, model, why, write = _field_at(error["loc"])
        key = _dotted(path)
        what = describe({**error})
        if error["type"] == "extra_forbidden":
            names = [field.alias or name for name, field in model.model_fields.items()]
            what = "is no setting"
            why = "a misspelt setting would silently have no effect"
            write = nearest(str(path[-1]), names)
        problems.append(Problem(key, what, why, write))
        _remove(repaired, path)
    fallback = _with_defaults({k: v for k, v in mapping.items() if k == "environment"})
    return problems, environments.overlay(fallback, repaired)


def _field_at(loc: tuple[int | str, ...]) -> tuple[list[int | str], type[BaseModel], str, str]:
    """Follow `loc` through the models: the key without union tags, its model, reason, example."""
    model: type[BaseModel] = Settings
    path: list[int | str] = []
    why, write = "", ""
    choices: list[type[BaseModel]] = []
    for part in loc:
        tagged = [m for m in choices if _tag(m) == part]
        if len(choices) > 1 and tagged:
            model, choices = tagged[0], tagged
            continue
        path.append(part)
        if isinstance(part, int):
            continue
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                why, write = field.description or "", str((field.examples or [""])[0])
                choices = list(_models_in(field.annotation))
                owner = model
                model = choices[0] if choices else model
                break
        else:
            owner = model
    return path, (owner if path else Settings), why, write


def _tag(model: type[BaseModel]) -> str:
    annotation = model.model_fields["type"].annotation if "type" in model.model_fields else None
    return str(get_args(annotation)[0]) if annotation else ""


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _dotted(path: list[int | str]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _remove(mapping: Any, path: list[int | str]) -> None:
    *parents, last = path
    for part in parents:
        try:
            mapping = mapping[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(mapping, dict):
        mapping.pop(last, None)
