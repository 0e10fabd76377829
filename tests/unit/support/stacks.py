"""The committed stack files as mappings, for tests that change one thing in them."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[3]
STACKS = ("local", "dev", "prod")
_FILES = tempfile.TemporaryDirectory(prefix="strongroom-tests-")


def stack_settings(stack: str) -> dict[str, Any]:
    """The `strongroom:` settings of a committed stack file, without the prefix."""
    prefix = "strongroom:"
    return {
        key.removeprefix(prefix): copy.deepcopy(value)
        for key, value in _config(f"Pulumi.{stack}.yaml").items()
        if key.startswith(prefix)
    }


def instance_settings() -> dict[str, Any]:
    """The local stack's settings with what `make up` adds about one instance."""
    folder = Path(_FILES.name)
    password, authority = folder / "fake-password", folder / "fake-ca.crt"
    password.write_text("fake-password-of-a-test")
    password.chmod(0o600)
    authority.write_text("fake certificate of a test")
    return changed(
        "local",
        {
            "engines.database.passwordFile": str(password),
            "engines.database.caFile": str(authority),
            "cloudSecrets.databaseLogins.caFile": str(authority),
            "engines.aws.endpoint": "http://10.77.0.2:5000",
            "aws.endpoint": "http://127.0.0.1:5000",
            "vault.seal.endpoint": "http://10.77.0.2:5000",
            "kubernetes.kubeconfig": "/nonexistent/fake-kubeconfig",
        },
    )


def engine_config(settings: dict[str, Any]) -> dict[str, str]:
    """`settings` as the engine hands them to a program: full keys, objects as JSON text.

    Like the engine it adds Pulumi.yaml's default for every setting that is not given.
    """
    defaults = {key: entry["default"] for key, entry in _config("Pulumi.yaml").items()}
    given = {f"strongroom:{key}": value for key, value in settings.items()}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (defaults | given).items()
    }


def changed(stack: str, changes: dict[str, Any]) -> dict[str, Any]:
    """A stack's settings with values set by dotted key; `...` removes a key."""
    settings: Any = stack_settings(stack)
    for key, value in changes.items():
        *parents, last = key.split(".")
        section = settings
        for part in parents:
            section = section[int(part)] if part.isdigit() else section.setdefault(part, {})
        place: Any = int(last) if last.isdigit() else last
        if value is ...:
            del section[place]
        else:
            section[place] = value
    result: dict[str, Any] = settings
    return result


@cache
def _config(name: str) -> dict[str, Any]:
    """Read once, and not to be changed: reading YAML is what these tests would wait for."""
    config: dict[str, Any] = yaml.safe_load((REPOSITORY / name).read_text())["config"]
    return config
