"""The command's root: its sub-commands, each imported when it is asked for.

The audit reports alone import databases that take seconds to load; who unseals a server does not
wait for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.main import get_command

from cli.reporting import ReportingGroup

# Sub-commands by name: the module, and in it a group `app` or the one function.
COMMANDS = {
    "vault": "app",
    "access": "app",
    "policy": "app",
    "preview": "preview",
    "seal": "app",
    "sops": "app",
    "env": "app",
    "rotate": "app",
    "audit": "app",
    "scan": "scan",
    "compliance": "compliance",
    "drift": "drift",
}


class Root(ReportingGroup):
    """Finds a sub-command by its module's name."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the base class gives it
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 -- the base class gives it
        """The sub-command, imported now; None for a name that there is not."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"cli.{cmd_name}")
        found = getattr(module, COMMANDS[cmd_name])
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False)
            alone.command(epilog=getattr(module, "EPILOG", None))(found)
            found = alone
        command = get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operate a Strongroom secrets platform. Every command names a stack: --stack prod. Each "
    "tells its exit statuses; 70 of any is a failure that nobody foresaw, with its traceback.",
)


@app.callback()
def _root() -> None:
    """Nothing is common to all sub-commands."""
