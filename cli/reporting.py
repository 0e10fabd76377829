"""How a command speaks: data on standard output, everything else on standard error.

Owns the one place where known failures become a message and an exit status.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from settings import SettingsError
from vaultops.errors import VaultOpsError


class ReportingGroup(TyperGroup):
    """A group whose commands may raise VaultOpsError and SettingsError."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a known failure is told once and gives its exit status."""
        try:
            return super().invoke(ctx)
        except VaultOpsError as error:
            raise _ended(error, error.exit_status) from None
        except SettingsError as error:
            raise _ended(error, 1) from None


def tell(message: str) -> None:
    """Progress and remarks, for people."""
    typer.echo(message, err=True)


def console(width: int | None = None) -> Console:
    """What shows tables and lines to people; brackets and colons in them are no markup."""
    return Console(width=width, markup=False, emoji=False)


def to_json(data: Any) -> str:
    """Data for programs, as text."""
    return json.dumps(data, indent=2, default=str)


def print_json(data: Any) -> None:
    """Data for programs, on standard output."""
    typer.echo(to_json(data))


def write_file(path: Path, text: str, *, what: str) -> None:
    """Write what a command makes. Raises VaultOpsError: `what` ("the page") cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise VaultOpsError(
            f"{what} cannot be written",
            where=str(path),
            why=error.strerror or type(error).__name__,
            fix="name a file in a folder that exists and that you may write to",
        ) from None


def _ended(error: Exception, status: int) -> typer.Exit:
    typer.secho(f"error: {error}", fg="red", err=True)
    return typer.Exit(status)
