"""`strongroom audit anomalies`: what in the logs is out of the ordinary, on the terminal or a page.

Owns the command's arguments, the forms of the findings and the exit status. What is an anomaly is
`audit`'s matter; how logs are named and read is `cli.auditing`'s.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from ibis import Table

from audit import baseline
from audit.anomalies import find
from audit.backend import read_parquet
from audit.findings import Finding
from audit.findings_page import page
from audit.known import NOTHING, at, load
from audit.overview import overview
from audit.store import Store
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
    title_of,
    told_once,
)
from cli.reporting import print_json, tell, write_file

FOUND = 3


def anomalies(
    logs: Logs = None,
    store: StoreFolder = None,
    known: Annotated[
        Path | None,
        typer.Option(
            "--known",
            help="YAML with canaries (decoy paths), deployments and root_windows (each with from "
            "and to), and networks of your own.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Leave out what was detected before, ISO 8601.")
    ] = None,
    html: Html = None,
    spark: Spark = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Tell what is out of the ordinary: hours, frequency, addresses, paths, sweeps, refusals,
    decoys, root, changes, silences; each with the reason, the score and the lines.

    Baselines are of what the store holds, so keep one: the page says what each detection must have
    seen before it judges. Times are UTC.

    Example: strongroom audit anomalies /var/log/vault/ --store audit.store --known known.yaml
    --html audit.html

    Exit status: 0 nothing was found, 1 a log, store or file cannot be read or written, 2 a wrong
    option, 3 something was found.
    """
    with told_once():
        told = load(known) if known else NOTHING
        moment = at(since) if since else None
    with asked(logs, store, spark) as what, _visits(what, store) as visits:
        findings = find(what.tables, visits, known=told, since=moment)
        if html is not None:
            write_file(html, _page_of(what, findings, title_of(logs, store)), what="the page")
            tell(f"written: {html}")
        reading = as_data(what.outcome)
    if as_json:
        print_json({"read": reading, "findings": [asdict(each) for each in findings]})
    else:
        _show(findings, limit)
    if findings:
        raise typer.Exit(FOUND)


@contextmanager
def _visits(what: Asked, store: Path | None) -> Iterator[Table]:
    """The baseline: kept in the store that is kept, else made once and thrown away."""
    events = what.tables.events
    with tempfile.TemporaryDirectory(prefix="strongroom-") as folder:
        if store is not None:
            files = list(map(str, baseline.kept(Store(store))))
        else:
            files = [f"{folder}/visits.parquet"]
            baseline.visits(events).to_parquet(files[0])
        yield read_parquet(events.get_backend(), "visits", baseline.VISITS, files)


def _page_of(what: Asked, findings: Sequence[Finding], title: str) -> str:
    problems = what.tables.problems.count().to_pyarrow().as_py()
    return page(overview(what.tables.events), findings, title=title, problems=problems)


def _show(findings: Sequence[Finding], limit: int) -> None:
    if not findings:
        tell("nothing out of the ordinary")
    for finding in findings[:limit]:
        first = finding.evidence[0]
        place = f"{first.file}:{first.line}" if first.line else first.file
        typer.secho(
            f"{finding.severity:8}  {finding.score:.2f}  {finding.start:%Y-%m-%d %H:%M:%S}  "
            f"{finding.detection}",
            bold=True,
        )
        others = finding.count - 1
        more = f" and {others} more" if others else ""
        typer.echo(f"          {finding.reason}\n          {place}{more}  [{finding.id}]")
    if len(findings) > limit:
        tell(f"the first {limit} of {len(findings)}; --limit shows more, --json all")
