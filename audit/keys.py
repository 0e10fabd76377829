"""Which entries a store holds, whenever they were made: 16 bytes for each, sorted, in a few files.

Owns what makes an entry the same one, and finding it again. Vault makes a request's id by itself,
so that the id and the phase are enough, however late a second device wrote its copy. The id of a
call to Kubernetes may be its client's choice (header Audit-ID), so that an old id would hide a new
call: there, who asked for what, and acting as whom, belongs to the key. Times do not: a watch is
answered twice.

Files are mapped and never loaded, and the queries of one slice are all that memory holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from audit.schema import Source

# The upper and the lower half of each key, a column for each entry.
Keys = NDArray[np.uint64]

_STEP = 2**20  # keys that are merged at once
# What a client may choose is made even first: two texts of one MD5 can be looked for, two texts
# whose SHA-256 have one MD5 cannot. Vault's ids need no such care, and theirs are most lines.
_HASH = (
    f"md5_number(CASE WHEN source = '{Source.KUBERNETES}' THEN sha256(concat_ws('|', source, "
    "request_id, phase, subject, coalesce(role, ''), operation, path)) "
    "ELSE concat_ws('|', source, request_id, phase) END)"
)
_HALVES = f"(hash >> 64)::UBIGINT AS upper, (hash & {2**64 - 1})::UBIGINT AS lower"


def keys_of(connection: duckdb.DuckDBPyConnection, events: str) -> tuple[Keys, NDArray[np.int64]]:
    """The keys of the rows of `events`, a relation of SQL, sorted, and the line of each.

    Of equal keys that of the first row comes first.
    """
    found = connection.execute(
        f"SELECT line, {_HALVES} FROM (SELECT line, {_HASH} AS hash FROM {events})"  # noqa: S608 -- no value enters but a relation
    ).fetchnumpy()
    order = np.argsort(found["upper"], kind="stable")
    return np.stack([found["upper"][order], found["lower"][order]]), found["line"][order]


def new(keys: Keys, files: Iterable[Path]) -> NDArray[np.bool_]:
    """Which of the sorted keys are in none of the files, and not the one before."""
    known = np.zeros(keys.shape[1], dtype=bool)
    known[1:] = (keys[:, 1:] == keys[:, :-1]).all(axis=0)
    for file in files:
        stored = _mapped(file)
        at = np.searchsorted(stored[0], keys[0]).clip(max=stored.shape[1] - 1)
        known |= (stored[0][at] == keys[0]) & (stored[1][at] == keys[1])
    return ~known


def merge(one: Path, other: Path, file: Path) -> None:
    """Make one file of two, a step at a time."""
    left, right = _mapped(one), _mapped(other)
    count = left.shape[1] + right.shape[1]
    merged = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint64, shape=(2, count))
    done = behind = 0
    for start in range(0, left.shape[1], _STEP):
        end = min(start + _STEP, left.shape[1])
        last = end == left.shape[1]
        ahead = right.shape[1] if last else int(np.searchsorted(right[0], left[0, end - 1]))
        both = np.concatenate([left[:, start:end], right[:, behind:ahead]], axis=1)
        merged[:, done : done + both.shape[1]] = both[:, np.argsort(both[0], kind="stable")]
        done, behind = done + both.shape[1], ahead


def _mapped(file: Path) -> Keys:
    mapped: Keys = np.load(file, mmap_mode="r")
    return mapped
