"""`strongroom audit`: who read what, who was refused, what changed, and what the log leaves out.

Owns the commands' arguments and the forms of the answers; what is asked of the events is `audit`'s.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from access.grant import Grant
from audit import gaps, report_page, reports
from audit.backend import rows_of
from audit.follow import follow as follow_log
from audit.overview import overview
from audit.report import PARTS
from audit.unused import UnusedGrant, unused
from cli.audit_anomalies import anomalies
from cli.auditing import (
    AsJson,
    Asked,
    Html,
    Limit,
    Logs,
    Spark,
    StoreFolder,
    as_data,
    asked,
    show,
    title_of,
    told_once,
)
from cli.reporting import print_json, tell, write_file
from cli.stack import ConfigFile, StackName, settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="Read audit logs of Vault, OpenBao, CloudTrail and Kubernetes. Exit status: 0 answered, "
    "1 a log or store cannot be read or holds nothing, 2 a wrong option.",
)

app.command()(anomalies)

_CALLS = ("calls", "refused", "first", "last")


@app.command()
def report(
    logs: Logs = None,
    store: StoreFolder = None,
    stack: StackName = None,
    config_file: ConfigFile = None,
    html: Html = None,
    spark: Spark = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Tell all of it: access by path, subject and lease, refusals, root, changes, gaps.

    With a stack's settings (--stack or --config-file) also what its grants allow that nobody used,
    with the narrower policy for each.

    Example: strongroom audit report /var/log/vault/ --store audit.store --stack prod
    --html report.html

    Exit status: 0 answered, 1 a log or store cannot be read or holds nothing, or the page cannot
    be written, 2 a wrong option.
    """
    grants = settings_of(stack, config_file).grants if stack or config_file else None
    with asked(logs, store, spark) as what:
        told = {part.id: rows_of(part.rows(what.tables)) for part in PARTS}
        left = _unused(what, grants)
        reading = as_data(what.outcome)
        if html is not None:
            seen = overview(what.tables.events)
            text = report_page.page(seen, told, left, title=title_of(logs, store))
            write_file(html, text, what="the page")
            tell(f"written: {html}")
    if as_json:
        unused_grants = None if left is None else [asdict(one) for one in left]
        print_json({"read": reading, **told, "unused_grants": unused_grants})
        return
    for part in PARTS:
        show(part.title, told[part.id], part.columns, limit=limit)
    _show_unused(left)


@app.command()
def who(
    path: Annotated[str, typer.Argument(help="As people write it: secret/ml/mlflow, or secret/*.")],
    logs: Logs = None,
    store: StoreFolder = None,
    spark: Spark = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Say who called a path: how often, from where, when last, and who was refused.

    Example: strongroom audit who database/creds/ml-readonly audit.log

    Exit status: 0 answered, 1 a log or store cannot be read or holds nothing, 2 a wrong option.
    """
    with asked(logs, store, spark) as what:
        rows = rows_of(reports.who(what.tables.events, path))
    if as_json:
        print_json({"path": path, "callers": rows})
    else:
        columns = ("subject", "role", "operation", "path", "address", *_CALLS)
        show(f"Who called {path}", rows, columns, limit=limit)


@app.command()
def used(
    subject: Annotated[
        str, typer.Argument(help="namespace/service-account, approle/role, or a display name.")
    ],
    logs: Logs = None,
    store: StoreFolder = None,
    spark: Spark = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Say what a subject called: which paths, how often, when last, and what was refused.

    Example: strongroom audit used ml-training/ml-app-sa audit.log

    Exit status: 0 answered, 1 a log or store cannot be read or holds nothing, 2 a wrong option.
    """
    with asked(logs, store, spark) as what:
        rows = rows_of(reports.used(what.tables.events, subject))
    if as_json:
        print_json({"subject": subject, "calls": rows})
    else:
        show(f"What {subject} called", rows, ("operation", "path", "role", *_CALLS), limit=limit)


@app.command()
def follow(
    log: Annotated[Path, typer.Argument(help="The file that an audit device writes to.")],
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin with what is in the file already.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one object a line, for programs.")
    ] = False,
) -> None:
    """Tell each call as it is logged, across rotation, until it is interrupted.

    Example: strongroom audit follow /var/log/vault/audit.log

    Exit status: 0 interrupted, 1 the log cannot be read, 2 a wrong option.
    """
    with told_once():
        try:
            for news in follow_log(log, from_start=from_start):
                for event in news.events:
                    _tell_event(event, as_json=as_json)
                for problem in news.problems:
                    tell(f"{problem.file}, line {problem.line}: {problem.reason}")
        except KeyboardInterrupt:
            return


def _unused(what: Asked, grants: tuple[Grant, ...] | None) -> list[UnusedGrant] | None:
    """None when no settings are named: nothing was compared."""
    if grants is None:
        return None
    return unused(grants, rows_of(reports.granted(what.tables.events)))


def _show_unused(left: list[UnusedGrant] | None) -> None:
    if left is None:
        tell("grants were not compared: name a stack with --stack or --config-file")
        return
    rows = [
        {"grant": one.grant, "path": right.path, "unused": ", ".join(right.capabilities)}
        for one in left
        for right in one.unused
    ]
    show("Granted and not used in what was read", rows, ("grant", "path", "unused"))
    for one in left:
        if one.narrower:
            typer.echo(f"# {one.grant}: the policy for what was used\n{one.narrower}")
        else:
            typer.echo(f"# {one.grant}: nothing was used; the grant can go\n")


def _tell_event(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(event))
    elif gaps.whole(event):
        error = f"  refused: {event['error']}" if event["error"] else ""
        typer.echo(
            f"{event['time']:%H:%M:%S}  {event['subject'] or '-'}  {event['operation']}  "
            f"{event['path']}  from {event['address'] or '-'}{error}"
        )
