"""How a command speaks: data on standard output, everything else on standard error.

Owns the one place where known failures become a message and an exit status.
"""

from __future__ import annotations

import json
from typing import Any

import typer
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


def to_json(data: Any) -> str:
    """Data for programs, as text."""
    return json.dumps(data, indent=2, default=str)


def print_json(data: Any) -> None:
    """Data for programs, on standard output."""
    typer.echo(to_json(data))


def _ended(error: Exception, status: int) -> typer.Exit:
    typer.secho(f"error: {error}", fg="red", err=True)
    return typer.Exit(status)
