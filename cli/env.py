"""`strongroom env`: what differs between environments, by what it means for their safety.

Owns the command's arguments and the forms of the answer; what a guard is, `review.guards` knows.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.reporting import print_json
from cli.stack import settings_of
from review.guards import Weaker, weaker

app = typer.Typer(no_args_is_help=True, help="Compare environments.")

Stack = Annotated[str, typer.Argument(help="A stack; its settings are Pulumi.<stack>.yaml here.")]


@app.callback()
def _group() -> None:
    """Keep `diff` a sub-command although it is the only one."""


@app.command()
def diff(
    one: Stack,
    other: Stack,
    as_json: Annotated[bool, typer.Option("--json", help="Print data for programs.")] = False,
) -> None:
    """Say which guard is weaker where: protection, spread, seal, snapshots, network, policies.

    Names, addresses, sizes and versions are no guards and left out.

    Example: strongroom env diff dev prod

    Exit status: 0 compared, whatever was found, 1 a file cannot be read, 2 a wrong option.
    """
    settings = {stack: settings_of(stack, None) for stack in (one, other)}
    found = {
        one: weaker(settings[one], settings[other]),
        other: weaker(settings[other], settings[one]),
    }
    if as_json:
        print_json({"weaker": {stack: [_data(w) for w in found[stack]] for stack in found}})
        return
    for stack, there in ((one, other), (other, one)):
        typer.echo(_told(stack, there, found[stack]))


def _told(stack: str, there: str, found: tuple[Weaker, ...]) -> str:
    if not found:
        return f"No guard is weaker in {stack} than in {there}."
    lines = [f"Weaker in {stack} than in {there}:"]
    for one in found:
        lines.append(f"  {one.guard.name}: {one.here}, there {one.there}")
        lines.append(f"      {one.guard.about}")
    return "\n".join(lines)


def _data(found: Weaker) -> dict[str, Any]:
    return {
        "guard": found.guard.name,
        "about": found.guard.about,
        "here": found.here,
        "there": found.there,
    }
