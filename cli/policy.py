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
from policies.rules import ALL
from policies.waivers import FILE

app = typer.Typer(no_args_is_help=True, help="Judge files by the rules of the policy pack.")

InEnvironment = Annotated[
    Environment, typer.Option("--environment", help="The environment whose levels hold.")
]


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
    environment: InEnvironment = Environment.PROD,
    waivers: Annotated[
        Path, typer.Option("--waivers", exists=True, dir_okay=False, help="The file of waivers.")
    ] = FILE,
) -> None:
    """Judge files, and fail when one breaks a mandatory rule or cannot be read.

    Example: strongroom policy check stack.json manifests/ --environment prod

    Exit status: 0 nothing stops a deployment, 1 something does, 2 a wrong option.
    """
    today = datetime.now(UTC).date()
    report = checker.check(paths, environment, waivers=waivers, today=today)
    typer.echo(render(report, form))
    if report.stops:
        raise typer.Exit(1)


@app.command()
def rules(environment: InEnvironment = Environment.PROD) -> None:
    """List every rule: its level there, its severity, what it asks and which controls it serves.

    Example: strongroom policy rules --environment dev

    Exit status: 0 listed, 2 a wrong option.
    """
    for rule in ALL:
        typer.echo(f"{rule.id}  [{rule.levels[environment]}, {rule.severity}]")
        typer.echo(f"    {rule.title} ({'; '.join(rule.frameworks)})")
        typer.echo(f"    {rule.remediation}")
