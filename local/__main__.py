"""`python -m local`: the one-machine environment, behind `make up` and `make down`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from local.environment import Environment, set_up
from local.images.archive import ImageError
from local.node import NodeError
from local.paths import Instance
from local.progress import Clock
from local.services.host import ServiceError
from local.stack import StackError
from local.summary import show
from local.toolchain import ToolchainError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they would print secrets
    help=__doc__,
)


def _named(name: str) -> str:
    try:
        Instance(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return name


InstanceName = Annotated[
    str, typer.Option("--instance", help="The environment's name.", callback=_named)
]


def _run(action: Callable[[], None], command: str) -> None:
    """Run one command; a known failure or an interrupt ends in one line and a status."""
    try:
        action()
    except (ImageError, NodeError, ServiceError, StackError, ToolchainError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; `{command}` goes on from here", err=True)
        sys.exit(130)


@app.command()
def prepare() -> None:
    """Install the distribution's packages and find or build every tool; start nothing."""
    _run(lambda: set_up(Clock()), "make tools")


@app.command()
def up(instance: InstanceName = "local") -> None:
    """Bring up the node, the services and the stack; goes on where an earlier run stopped."""
    clock = Clock()
    environment = Environment(Instance(instance))

    def action() -> None:
        environment.up(clock)
        show(environment)
        clock("done")

    _run(action, "make up")


@app.command()
def down(instance: InstanceName = "local") -> None:
    """Remove the environment: processes, mounts, namespace, interfaces and files."""
    _run(lambda: Environment(Instance(instance)).down(Clock()), "make down")


@app.command()
def status(instance: InstanceName = "local") -> None:
    """Show what runs."""
    _run(lambda: show(Environment(Instance(instance))), "make status")


if __name__ == "__main__":
    app()
