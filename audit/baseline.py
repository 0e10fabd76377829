"""What each subject usually does: its hours, paths, networks and rate, as one additive table.

`visits` has a row per subject, path, network, operation, outcome and hour, and is all that the
detections know of the past. Rows of different days, files or parts of the store are simply put
together, so a baseline grows by what is new and nothing is counted twice when the events are not.
`kept` holds it in the store, a file for each of the store's files of events.

| column | meaning |
|---|---|
| `subject`, `path`, `operation` | as in `audit.schema`; root and calls of nobody known left out |
| `network` | the address's first three numbers, or first four groups of IPv6 |
| `store` | source and mount of a secrets engine, or service (`vault secret/`); NULL for the rest |
| `denied` | whether the calls failed |
| `hour` | the hour, UTC |
| `calls` | how many |
| `first`, `address`, `file`, `line` | the first of them, as evidence |
"""

from __future__ import annotations

from pathlib import Path

import ibis
from ibis import Table
from ibis import _ as row

from audit import backend
from audit.schema import EVENTS, Phase, Source
from audit.store import Store

VISITS = ibis.schema(
    {
        "subject": "string",
        "path": "string",
        "operation": "string",
        "network": "string",
        "store": "string",
        "denied": "boolean",
        "hour": "timestamp('UTC')",
        "calls": "int64",
        "first": "timestamp('UTC')",
        "address": "string",
        "file": "string",
        "line": "int64",
    }
)

_OWN_MOUNT = r"(^|/)(sys|auth|identity|cubbyhole)(/|$)"
_HOLD_SECRETS = ("secretsmanager", "ssm", "kms", "secrets")


def calls(events: Table) -> Table:
    """One row per call: the response, which alone tells the outcome and who logged in."""
    return events.filter(events.phase == Phase.RESPONSE.value)


def visits(events: Table) -> Table:
    """The baseline's rows of these events."""
    made = calls(events)
    root = made.policies.contains("root").fill_null(False)
    made = made.filter(made.subject.notnull() & ~root).mutate(
        network=_network(made.address),
        store=_store(made),
        denied=made.error.notnull(),
        hour=made.time.truncate("h"),
    )
    grouped = made.group_by(["subject", "path", "operation", "network", "store", "denied", "hour"])
    return grouped.aggregate(
        calls=row.count(),
        first=row.time.min(),
        address=row.address.argmin(row.time),
        file=row.file.argmin(row.time),
        line=row.line.argmin(row.time),
    ).select(*VISITS.names)


def kept(store: Store) -> list[Path]:
    """The store's baseline as Parquet files of `VISITS`, after making those that are missing.

    A file of events never changes, so what was made of it stays right; it goes when the events'
    file does. Raises AuditError while another process writes to the store.
    """
    folder = store.folder / "baseline"
    folder.mkdir(exist_ok=True)
    with store.writing():
        wanted = {folder / events.name: events for events in store.files("events")}
        for path in folder.iterdir():
            if path not in wanted:
                path.unlink()
        duckdb = backend.connect()
        for path, events in wanted.items():
            if not path.exists():
                draft = path.with_suffix(".new")
                name = f"events_{path.stem.replace('-', '_')}"
                table = backend.read_parquet(duckdb, name, EVENTS, [str(events)])
                visits(table).to_parquet(draft)
                draft.replace(path)
    return sorted(wanted)


def _store(events: Table) -> ibis.Value:
    """Where secrets lie: not Vault's own mounts, and of the other sources what holds secrets."""
    vault = (events.source == Source.VAULT.value) & ~events.mount.re_search(_OWN_MOUNT)
    other = (events.source != Source.VAULT.value) & events.mount.isin(_HOLD_SECRETS)
    return ibis.ifelse(
        (vault | other).fill_null(False), events.source + " " + events.mount, ibis.null("string")
    )


def _network(address: ibis.Value) -> ibis.Value:
    four = address.re_extract(r"^(\d+\.\d+\.\d+)\.\d+$", 1)
    six = address.re_extract(r"^((?:[0-9a-fA-F]*:){4})", 1)
    return ibis.coalesce(four.nullif(""), six.nullif(""), address, ibis.literal(""))
