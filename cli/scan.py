"""`strongroom scan`: secrets in the work tree, the staged change, the history, or named files.

Owns the arguments and the exit status: 0 no open finding, 1 findings that no reviewer accepted, 2
the scan was not done, or not for every file. What a secret is, is `scanning`'s matter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.reporting import print_json, tell, write_file
from scanning import sarif, texts
from scanning.errors import ScanError
from scanning.model import Scanner
from scanning.scan import NOT_DONE, Report
from scanning.scan import scan as run
from scanning.snapshot import Mode
from vaultops.errors import VaultOpsError

EPILOG = (
    "Examples: `strongroom scan --staged` before a commit; `strongroom scan --history --sarif "
    "scan.sarif` in a workflow; `strongroom scan audit.log ./notes` for files anywhere. Exit "
    "status: 0 nothing open, 1 findings, 2 not done or not for every file."
)


def scan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders, ignored by git or not; none: the work tree."),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What the next commit changes.")] = False,
    history: Annotated[
        bool, typer.Option("--history", help="The work tree and every version in any commit.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(help="As --history, but only commits that this revision does not have."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="In place of secret-scan.yaml at the repository's root.")
    ] = None,
    without: Annotated[
        list[Scanner] | None, typer.Option(help="Leave a scanner out; the summary says who looked.")
    ] = None,
    sarif_file: Annotated[
        Path | None, typer.Option("--sarif", help="Write a SARIF 2.1.0 log, too.")
    ] = None,
    propose: Annotated[
        bool,
        typer.Option(help="Print entries for secret-scan.yaml; each needs a reviewer's reason."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print data for programs.")] = False,
) -> None:
    """Find secrets with Gitleaks, TruffleHog, detect-secrets and the project's own rules.

    Nothing leaves the machine, no secret is printed, and what was found is accepted in one place:
    secret-scan.yaml, with a reviewer's reason.
    """
    try:
        report = run(
            Path.cwd(),
            _mode(paths, staged=staged, history=history, since=since),
            paths=paths or (),
            since=since,
            config_file=config,
            without=without or (),
        )
        if sarif_file:
            write_file(sarif_file, sarif.render(report), what="the SARIF log")
    except (ScanError, VaultOpsError) as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(NOT_DONE) from None
    _show(report, propose=propose, as_json=as_json)
    raise typer.Exit(report.status)


def _show(report: Report, *, propose: bool, as_json: bool) -> None:
    if propose:
        typer.echo(texts.proposal(report))
    elif as_json:
        print_json(texts.data(report))
    else:
        for line in texts.lines(report):
            typer.echo(line.encode(errors="surrogateescape").decode(errors="replace"))
    tell(texts.summary(report))
    if report.open:
        tell("what to do: docs/runbooks/secret-found.md")


def _mode(paths: list[Path] | None, *, staged: bool, history: bool, since: str | None) -> Mode:
    chosen = [
        mode
        for mode, wanted in (
            (Mode.PATHS, paths),
            (Mode.STAGED, staged),
            (Mode.HISTORY, history or since),
        )
        if wanted
    ]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of {', '.join(chosen)}")
    return chosen[0] if chosen else Mode.TREE
