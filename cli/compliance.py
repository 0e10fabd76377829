"""`strongroom compliance`: which controls hold, at preview and live, with the evidence.

Owns the command's arguments, the files it writes and its exit status; what proves a control is
`compliance`'s matter.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.checking import FOUND, checking, looking, read_export, unreadable
from cli.reporting import print_json, tell, write_file
from cli.stack import ConfigFile, StackName, kubectl_of, settings_of
from compliance.live import Live
from compliance.page import page
from compliance.pdf import write_pdf
from compliance.run import Deployed, report
from compliance.text import report_text
from policies.rule import Environment
from policies.rules import ALL
from policies.sources import Sources
from policies.waivers import FILE as WAIVERS
from policies.waivers import load
from settings import Settings

StateFile = Annotated[
    Path | None,
    typer.Option("--state", help="The deployed stack, from `pulumi stack export --file FILE`."),
]


def compliance(
    state: StateFile = None,
    stack: StackName = None,
    config_file: ConfigFile = None,
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Ask the running Vault and its cluster.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page there.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", help="Print the page there with Chromium or Chrome.")
    ] = None,
    waivers: Annotated[
        Path, typer.Option("--waivers", exists=True, dir_okay=False, help="The file of waivers.")
    ] = WAIVERS,
    as_json: Annotated[bool, typer.Option("--json", help="Print data for programs.")] = False,
) -> None:
    """Prove each control of four frameworks: by the rules on the stack, and by asking what runs.

    Without --state the rules have no stack to judge, and without the running system nothing is
    proven of it; both are told as not checked. Reads only, as the operator.

    Example: strongroom compliance -s prod --state stack.json --html report.html --pdf report.pdf

    Exit status: 0 no control failed, 1 a control failed, 2 the report could not be made.
    """
    with checking(), ExitStack() as held:
        settings = settings_of(stack, config_file)
        now = datetime.now(UTC)
        found = report(
            title=f"stack {stack}" if stack else (config_file or Path()).name,
            environment=Environment(settings.environment),
            made=now,
            waivers=load(waivers, (rule.id for rule in ALL), now.date()),
            deployed=_deployed(state) if state else None,
            live=_live(settings, held) if live else None,
        )
        if html:
            write_file(html, page(found), what="the page")
            tell(f"wrote {html}")
        if pdf:
            write_pdf(page(found, opened=True), pdf)
            tell(f"wrote {pdf}")
    if as_json:
        print_json(found.as_data())
    elif not (html or pdf):
        typer.echo(report_text(found))
    if found.failed:
        raise typer.Exit(FOUND)


def _deployed(state: Path) -> Deployed:
    if str(state) == "-":
        raise typer.BadParameter("name a file; standard input is not read", param_hint="--state")
    export = read_export(state)
    sources = Sources()
    sources.add(state)
    for unread in sources.unread:
        raise unreadable(state, unread.reason)
    return Deployed(resources=tuple(sources.resources), export=export)


def _live(settings: Settings, held: ExitStack) -> Live:
    target, look = held.enter_context(looking(settings))
    return Live(target, look, kubectl_of(settings), settings)
