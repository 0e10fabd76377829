"""Reads settings out of the texts in a stack's configuration; knows nothing of what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from settings.errors import Problem, SettingsError, nearest
from settings.grant_files import GrantFiles, gather
from settings.root import Settings

NAMESPACE = "strongroom"
# `pulumi:` holds the engine's own switches, such as disable-default-providers.
ENGINE_NAMESPACE = "pulumi"
# The defaults in Pulumi.yaml that stand for "not set": the engine demands a default for every
# setting in its schema, and one with a meaning would hide the environment's own.
UNSET: tuple[Any, ...] = ("", "auto", {}, [])
# Linux hands a program at most 128 KiB in one environment variable, and the engine's Python host
# puts the whole configuration into one: beyond that no deployment starts.
MOST_BYTES = 96 * 1024


def read(values: Mapping[str, Any], *, secret_keys: set[str], source: str) -> Settings:
    """The settings in `values` (full keys to text, as the engine hands them over) and grant files.

    Raises SettingsError with every mistake in both.
    """
    decoded = {
        key.partition(":")[2]: _decoded(text)
        for key, text in values.items()
        if key.partition(":")[0] == NAMESPACE
    }
    own = {key: value for key, value in decoded.items() if value not in UNSET}
    problems = [*_foreign(values), *_stored_secrets(secret_keys)]
    hidden = {problem.key.partition(":")[2] for problem in problems}
    folder, grants = own.get("grantFiles"), own.get("grants", [])
    filed = gather(folder) if isinstance(folder, str) else GrantFiles()
    problems += [*_oversized(values), *filed.problems]
    first = 0  # of those in files
    if isinstance(grants, list):
        first, own["grants"] = len(grants), [*grants, *filed.rows]
    try:
        settings = Settings.parse(own, source=source)
    except SettingsError as error:
        seen = [problem for problem in error.problems if not problem.touches(hidden)]
        if filed.problems:  # what names a grant may name one in the file that could not be read
            seen = [problem for problem in seen if "grants" not in problem.also]
        problems += filed.located(seen, own=first)
        raise SettingsError(source, problems) from None
    if problems:
        raise SettingsError(source, problems)
    return settings


def _decoded(text: Any) -> Any:
    """Objects, lists and booleans reach the program as JSON text; other text stays as it is."""
    if isinstance(text, str) and (text[:1] in ("{", "[") or text in ("true", "false")):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text
    return text


def _foreign(values: Mapping[str, Any]) -> Iterator[Problem]:
    sections = [field.alias or name for name, field in Settings.model_fields.items()]
    for key in values:
        namespace, _, name = key.partition(":")
        if namespace not in (NAMESPACE, ENGINE_NAMESPACE):
            yield Problem(
                key,
                "is no setting of this program",
                "providers are explicit here and read strongroom: settings only, so it would "
                "silently have no effect",
                f"`{NAMESPACE}:` and {nearest(name, sections)}",
            )


def _stored_secrets(secret_keys: set[str]) -> Iterator[Problem]:
    for key in sorted(secret_keys):
        if key.partition(":")[0] == NAMESPACE:
            yield Problem(
                key,
                "holds an encrypted value",
                "settings reach charts and logs; secrets belong in Vault or a cloud secret store",
                "the name or place of the secret, in clear, never its value",
            )


def _oversized(values: Mapping[str, Any]) -> Iterator[Problem]:
    sizes = {
        key: len(json.dumps(text if isinstance(text, str) else json.dumps(text)))
        for key, text in values.items()
    }
    if (total := sum(sizes.values())) > MOST_BYTES:
        largest = max(sizes, key=lambda key: sizes[key])
        yield Problem(
            largest,
            f"takes {sizes[largest] // 1024} KiB of a configuration of {total // 1024} KiB",
            "Linux hands a program 128 KiB at most; soon after, every deployment would stop with "
            "'argument list too long'",
            "most grants in files, one a team, in the folder that `grantFiles` names",
        )
