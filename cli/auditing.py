"""What the audit commands share: which logs are asked, and how answers are told.

Owns reading logs into a store that is kept (--store) or thrown away, and telling what was not read.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.table import Table

from audit.backend import Tables, connect
from audit.errors import AuditError
from audit.read import Outcome, read
from audit.store import Store
from cli.reporting import console, tell
from vaultops.errors import VaultOpsError

Logs = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Audit logs of Vault, OpenBao, CloudTrail or Kubernetes, plain, gzip or zstd; or "
        "folders of them.",
        show_default=False,
    ),
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store", help="Keep what is read there: the next time only what is new is read."
    ),
]
Spark = Annotated[
    str | None,
    typer.Option("--spark", help="Ask on Spark at this master URL, in place of this process."),
]


def _in_a_folder(page: Path | None) -> Path | None:
    """Say at once what would be said after all is read. Raises VaultOpsError."""
    if page is not None and not page.absolute().parent.is_dir():
        raise VaultOpsError(
            "the page cannot be written",
            where=str(page),
            why="its folder is not there",
            fix="name a file in a folder that exists and that you may write to",
        )
    return page


Html = Annotated[
    Path | None,
    typer.Option(
        "--html", help="Write one page with plots, too.", dir_okay=False, callback=_in_a_folder
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most so many rows of each.")]

# Where nobody looks at a terminal, lines need not be broken.
_WIDE = 240
_SHORT = ("time", "first", "last", "since", "until", "evidence", "operation", "address")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command asks, and what reading the logs did."""

    tables: Tables
    outcome: Outcome


@contextmanager
def told_once() -> Iterator[None]:
    """Turn the errors of `audit` into those that every command ends with."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # DuckDB's word for Ctrl-C
            raise KeyboardInterrupt from None
        raise
    except BrokenPipeError:
        raise
    except (OSError, duckdb.Error) as error:
        raise VaultOpsError(
            "the logs could not be worked through",
            where=f"the store, or the temporary folder {tempfile.gettempdir()}",
            why=str(error).splitlines()[0],
            fix="see that both have room and that you may write there (TMPDIR names another "
            "folder), and run it again: what a store has is kept",
        ) from None
    except AuditError as error:
        raise VaultOpsError(error.what, where=error.where, why=error.why, fix=error.fix) from None


@contextmanager
def asked(logs: Sequence[Path] | None, store: Path | None, spark: str | None) -> Iterator[Asked]:
    """Read what is new in the logs, and give the tables to ask.

    Raises typer.BadParameter when neither logs nor a store are named, VaultOpsError for logs that
    cannot be read and when there is nothing in them.
    """
    if not logs and store is None:
        raise typer.BadParameter("name what to read: logs, or a store with --store DIR")
    with told_once(), tempfile.TemporaryDirectory(prefix="strongroom-") as thrown_away:
        kept = Store(store or Path(thrown_away) / "store")
        outcome = read(kept, logs) if logs else Outcome()
        _tell(outcome)
        if not kept.manifest.tables["events"]:
            raise AuditError(
                "there is nothing to report",
                where=", ".join(map(str, logs or ([store] if store else []))),
                why="no entry of an audit log is in it",
                fix="name the files of the audit devices; `vault audit list -detailed` shows them",
            )
        # About the version of pandas, once a call.
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
        yield Asked(tables=kept.tables(connect(spark)), outcome=outcome)


def show(
    title: str, rows: Sequence[dict[str, Any]], columns: Sequence[str], *, limit: int | None = None
) -> None:
    """The first `limit` rows as a table for people. `evidence` is a row's file and line."""
    screen = console()
    if not screen.is_terminal:
        screen.width = _WIDE
    if not rows:
        screen.print(f"{title}: none\n", style="bold", highlight=False)
        return
    shown = rows[:limit]
    more = f" (the first {len(shown)} of {len(rows)})" if len(shown) < len(rows) else ""
    table = Table(title=title + more, title_justify="left", title_style="bold", box=None)
    for name in columns:
        number = all(isinstance(row.get(name), int) for row in shown)
        table.add_column(
            name.replace("_", " "),
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=name in _SHORT,
        )
    for row in shown:
        table.add_row(*(_text(row, name) for name in columns))
    screen.print(table, highlight=False)
    screen.print()


def title_of(logs: Sequence[Path] | None, store: Path | None) -> str:
    """What a page is about: the logs that were named, or else the store."""
    return ", ".join(map(str, logs or filter(None, [store])))


def as_data(outcome: Outcome) -> dict[str, Any]:
    """What reading did, for programs."""
    return asdict(outcome)


def _text(row: dict[str, Any], name: str) -> str:
    if name == "evidence":
        return f"{Path(row['file']).name}:{row['line']}"
    value = row[name]
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def _tell(outcome: Outcome) -> None:
    for path in outcome.empty:
        tell(f"{path}: nothing is in it yet")
    for path in outcome.foreign:
        tell(f"{path}: left out, it is no audit log")
    for one in outcome.unfinished:
        tell(f"{one.file}, line {one.line}: {one.reason}")
    if outcome.problems:
        tell(f"{outcome.problems} lines could not be read; `audit report` names each")
