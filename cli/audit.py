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
from audit import gaps, reports
from audit.backend import rows_of
from audit.follow import follow as follow_log
from audit.unused import unused
from cli.audit_anomalies import anomalies
from cli.auditing import (
    AsJson,
    Asked,
    Limit,
    Logs,
    Spark,
    StoreFolder,
    as_data,
    asked,
    show,
    told_once,
)
from cli.reporting import print_json, tell
from cli.stack import ConfigFile, StackName, settings_of

app = typer.Typer(
    no_args_is_help=True,
    help="Read audit logs of Vault, OpenBao, CloudTrail and Kubernetes. Exit status: 0 answered, "
    "1 a log or store cannot be read or holds nothing, 2 a wrong option.",
)

app.command()(anomalies)

# What a person sees of each part of the report; programs see all of it.
_PARTS = {
    "paths": ("Access by path", ("path", "calls", "subjects", "last")),
    "subjects": (
        "Access by subject",
        ("subject", "role", "calls", "paths", "addresses", "last"),
    ),
    "leases": (
        "Logins handed out, by lease",
        ("time", "subject", "path", "lease_id", "address", "evidence"),
    ),
    "denials": (
        "Refused and failed calls",
        ("requests", "subject", "address", "operation", "path", "error", "last"),
    ),
    "root": ("Use of root tokens", ("time", "operation", "path", "address", "evidence")),
    "changes": (
        "Changes of policies, logins, mounts, audit devices and keys",
        ("time", "subject", "operation", "path", "error", "evidence"),
    ),
    "half_calls": (
        "Calls of which a half is missing",
        ("time", "missing", "subject", "operation", "path", "evidence"),
    ),
    "silences": (
        "Times in which a device wrote nothing",
        ("device", "since", "until", "minutes", "ongoing"),
    ),
    "problems": ("Lines that could not be read", ("file", "line", "reason")),
}
_CALLS = ("calls", "refused", "first", "last")


@app.command()
def report(
    logs: Logs = None,
    store: StoreFolder = None,
    stack: StackName = None,
    config_file: ConfigFile = None,
    spark: Spark = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Tell all of it: access by path, subject and lease, refusals, root, changes, gaps.

    With a stack's settings (--stack or --config-file) also what its grants allow that nobody used,
    with the narrower policy for each.

    Example: strongroom audit report /var/log/vault/ --store audit.store --stack prod

    Exit status: 0 answered, 1 a log or store cannot be read or holds nothing, 2 a wrong option.
    """
    grants = settings_of(stack, config_file).grants if stack or config_file else None
    with asked(logs, store, spark) as what:
        told = {name: rows_of(expression) for name, expression in _expressions(what).items()}
        left = _unused(what, grants)
        reading = as_data(what.outcome)
    if as_json:
        print_json({"read": reading, **told, "unused_grants": left})
        return
    for name, (title, columns) in _PARTS.items():
        show(title, told[name], columns, limit=limit)
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


def _expressions(what: Asked) -> dict[str, Any]:
    tables = what.tables
    return {
        "paths": reports.by_path(tables.events),
        "subjects": reports.by_subject(tables.events),
        "leases": reports.leases(tables.events),
        "denials": reports.denials(tables.events),
        "root": reports.root_use(tables.events),
        "changes": reports.changes(tables.events),
        "half_calls": gaps.halves(tables.events),
        "silences": gaps.silences(tables.activity),
        "problems": tables.problems.distinct().order_by("file", "line"),
    }


def _unused(what: Asked, grants: tuple[Grant, ...] | None) -> list[dict[str, Any]] | None:
    """None when no settings are named: nothing was compared."""
    if grants is None:
        return None
    found = unused(grants, rows_of(reports.granted(what.tables.events)))
    return [asdict(one) for one in found]


def _show_unused(left: list[dict[str, Any]] | None) -> None:
    if left is None:
        tell("grants were not compared: name a stack with --stack or --config-file")
        return
    rows = [
        {"grant": one["grant"], "path": right["path"], "unused": ", ".join(right["capabilities"])}
        for one in left
        for right in one["unused"]
    ]
    show("Granted and not used in what was read", rows, ("grant", "path", "unused"))
    for one in left:
        if one["narrower"]:
            typer.echo(f"# {one['grant']}: the policy for what was used\n{one['narrower']}")
        else:
            typer.echo(f"# {one['grant']}: nothing was used; the grant can go\n")


def _tell_event(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(event))
    elif event["phase"] == "response":
        error = f"  refused: {event['error']}" if event["error"] else ""
        typer.echo(
            f"{event['time']:%H:%M:%S}  {event['subject'] or '-'}  {event['operation']}  "
            f"{event['path']}  from {event['address'] or '-'}{error}"
        )
