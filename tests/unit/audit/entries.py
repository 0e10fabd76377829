"""Log lines for tests: real ones of a Vault (hashes and ids replaced by fakes), and made ones."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from audit.backend import Tables, connect, rows_of
from audit.read import Outcome, read
from audit.store import Store

REAL = Path(__file__).with_name("vault_entries.jsonl")
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

Rows = list[dict[str, Any]]


def call(
    number: int,
    *,
    at: float | None = None,
    subject: str = "ml/trainer",
    path: str = "secret/data/ml/mlflow",
    operation: str = "read",
    policy: str = "ml-training",
    error: str | None = None,
    lease: str | None = None,
    mount_type: str = "kv",
    mount: str | None = None,
) -> list[bytes]:
    """The two entries of call `number`, `at` seconds after START, as Vault writes them."""
    time = START + timedelta(seconds=number if at is None else at)
    namespace, _, account = subject.partition("/")
    auth: dict[str, Any] = {
        "display_name": f"kubernetes-{namespace}-{account}",
        "entity_id": f"entity-of-{account}",
        "metadata": {
            "role": account,
            "service_account_name": account,
            "service_account_namespace": namespace,
        },
        "policies": [policy],
        "policy_results": {
            "allowed": error is None,
            **(
                {}
                if error
                else {"granting_policies": [{"type": ""}, {"name": policy, "type": "acl"}]}
            ),
        },
        "token_type": "service",
    }
    entry: dict[str, Any] = {
        "auth": auth,
        "request": {
            "id": f"00000000-0000-4000-8001-{number:012d}",
            "mount_point": mount or path.partition("/")[0] + "/",
            "mount_type": mount_type,
            "namespace": {"id": "root"},
            "operation": operation,
            "path": path,
            "remote_address": "10.0.0.7",
        },
    }
    if error:
        entry["error"] = error
    answer: dict[str, Any] = {"response": {"secret": {"lease_id": lease}} if lease else {}}
    return [
        _line({**entry, "time": _text(time), "type": "request"}),
        _line({**entry, **answer, "time": _text(time + _MOMENT), "type": "response"}),
    ]


def calls(numbers: Iterable[int]) -> list[bytes]:
    """Both entries of each call, in order."""
    return [line for number in numbers for line in call(number)]


def write(path: Path, lines: Sequence[bytes]) -> Path:
    """A log of these lines, each with its newline."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def zipped(path: Path, lines: Sequence[bytes]) -> Path:
    """The same, compressed."""
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in lines)))
    return path


def read_into(folder: Path, *paths: Path, slice_bytes: int = 2**20) -> tuple[Store, Outcome]:
    """The store in `folder` after reading."""
    store = Store(folder)
    return store, read(store, paths, slice_bytes=slice_bytes)


def tables_of(store: Store) -> Tables:
    """What the store holds."""
    return store.tables(connect())


def events_of(store: Store) -> Rows:
    """All events by time."""
    return rows_of(tables_of(store).events.order_by("time", "phase"))


def problems_of(store: Store) -> list[tuple[str, int, str]]:
    """Name of the file, line and reason of each line that could not be read."""
    found = rows_of(tables_of(store).problems.order_by("file", "line"))
    return [(Path(one["file"]).name, one["line"], one["reason"]) for one in found]


def ids(store: Store) -> list[tuple[str, str]]:
    """Request id and phase of each event, sorted."""
    return sorted((one["request_id"], one["phase"]) for one in events_of(store))


def expected(numbers: Iterable[int]) -> list[tuple[str, str]]:
    """What `ids` is when these calls were read once each."""
    return sorted(
        (f"00000000-0000-4000-8001-{number:012d}", phase)
        for number in numbers
        for phase in ("request", "response")
    )


_MOMENT = timedelta(milliseconds=2)


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def _line(entry: dict[str, Any]) -> bytes:
    return orjson.dumps(entry)
