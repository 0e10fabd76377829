"""`strongroom policy`: the rules of the policy pack on files, without the engine.

Owns the command's arguments and its exit status: 0 when nothing stops a deployment, 1 when
something does. What a rule says is `policies`' matter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from policies import check as checker
from policies.formats import Format, render
from policies.rule import Environment
from policies.waivers import FILE

app = typer.Typer(no_args_is_help=True, help="Judge files by the rules of the policy pack.")


@app.callback()
def policy() -> None:
    """Judge files by the rules of the policy pack."""


@app.command()
def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            exists=True,
            help="Exported stacks, manifests, Vault policies or configurations, IAM documents; or "
            "folders with them.",
        ),
    ],
    form: Annotated[Format, typer.Option("--format", help="How to report.")] = Format.TEXT,
    environment: Annotated[
        Environment, typer.Option("--environment", help="Whose levels hold.")
    ] = Environment.PROD,
    waivers: Annotated[
        Path, typer.Option("--waivers", exists=True, dir_okay=False, help="The file of waivers.")
    ] = FILE,
) -> None:
    """Judge files, and fail when one breaks a mandatory rule or cannot be read."""
    today = datetime.now(UTC).date()
    report = checker.check(paths, environment, waivers=waivers, today=today)
    typer.echo(render(report, form))
    if report.stops:
        raise typer.Exit(1)
