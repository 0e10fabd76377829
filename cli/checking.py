"""What commands share that check a deployed stack, for people and for pipelines.

Owns the exported stack as input, and the three ways such a command ends: 0 all is well, 1 something
was found, 2 the check itself could not be done. A pipeline must not take the last for either.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from cli.stack import kubectl_of, vault_of
from settings import Settings, SettingsError
from vaultops.errors import VaultOpsError
from vaultops.look import Look
from vaultops.session import operator_session
from vaultops.state import observe
from vaultops.target import Target

FOUND, FAILED = 1, 2


@contextmanager
def checking() -> Iterator[None]:
    """Tell a failure of the check once, and end with 2."""
    try:
        yield
    except (VaultOpsError, SettingsError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(FAILED) from None


def read_export(state: Path) -> Any:
    """The exported stack in a file, or on standard input for `-`. Raises VaultOpsError."""
    try:
        return json.loads(sys.stdin.read() if str(state) == "-" else state.read_text())
    except OSError as error:
        raise unreadable(state, error.strerror or type(error).__name__) from None
    except (ValueError, RecursionError) as error:
        raise unreadable(state, f"it is no JSON: {error}") from None


def unreadable(state: Path, why: str) -> VaultOpsError:
    """The one error for an exported stack that is missing, cut off or something else."""
    return VaultOpsError(
        "the exported stack cannot be read",
        where=str(state),
        why=why,
        fix="write one with `pulumi stack export --file FILE`",
    )


@contextmanager
def looking(settings: Settings) -> Iterator[tuple[Target, Look]]:
    """The stack's servers, and Vault as the operator may see it. Raises VaultOpsError."""
    with (
        vault_of(settings) as target,
        operator_session(target, kubectl_of(settings)) as token,
        target.pod_client(observe(target).active or 0, token) as client,
    ):
        yield target, Look(client)
