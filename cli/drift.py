"""`strongroom drift`: what runs against what the program deployed.

Owns the command's arguments and its exit status; what is compared is `drift`'s matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from access.state import StateError
from cli.checking import FAILED, FOUND, checking, looking, read_export, unreadable
from cli.reporting import print_json
from cli.stack import ConfigFile, StackName, kubectl_of, settings_of
from drift.program import program_of
from drift.run import drift_of
from drift.text import drift_text

StateFile = Annotated[
    Path,
    typer.Option(
        "--state",
        help="What the program has deployed, from `pulumi stack export`; - is standard input.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]


def drift(
    state: StateFile,
    stack: StackName = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List what is changed, missing or unmanaged in Vault and its cluster.

    Compares mounts, policies (by what they allow), logins, engine objects, audit devices, RBAC of
    the stack's namespaces, and secret stores. Reads only, as the operator.

    Example: pulumi stack export -s prod | strongroom drift -s prod --state -

    Exit status: 0 no drift, 1 drift, 2 the comparison could not be done, or not as a whole.
    """
    with checking():
        settings = settings_of(stack, config_file)
        try:
            program = program_of(read_export(state))
        except StateError as error:
            raise unreadable(state, f"it {error}") from None
        with looking(settings) as (_, look):
            found = drift_of(program, look, kubectl_of(settings))
    if as_json:
        print_json(found.as_data())
    else:
        typer.echo(drift_text(found))
    if found.differences:
        raise typer.Exit(FOUND)
    if found.unread:
        raise typer.Exit(FAILED)
