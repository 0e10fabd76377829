"""Each line once: appended, rotated, copied, written by two devices, killed at any moment."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from audit import read as reading
from audit.backend import rows_of
from audit.errors import AuditError
from audit.read import read
from audit.store import Manifest, Store
from tests.unit.audit.entries import (
    call,
    calls,
    events_of,
    expected,
    ids,
    problems_of,
    read_into,
    tables_of,
    write,
    zipped,
)


class Killed(BaseException):
    """Stands for the end of the process."""


def add(log: Path, lines: list[bytes]) -> None:
    with log.open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(5)))
    assert read_into(tmp_path / "store", log)[1].events == 10
    _, again = read_into(tmp_path / "store", log)
    assert (again.events, again.known) == (0, 0)
    add(log, [b"{", *calls(range(5, 7))])
    store, more = read_into(tmp_path / "store", log)
    assert (more.events, more.known, more.problems) == (4, 0, 1)
    assert [line for _, line, _ in problems_of(store)] == [11]
    assert ids(store) == expected(range(7))
    assert events_of(store)[-1]["line"] == 15


def test_renamed_and_compressed_logs_stay_the_same(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", [*calls(range(5)), b"{"])
    read_into(tmp_path / "store", log)
    add(log, calls(range(5, 8)))
    log.rename(tmp_path / "audit.log.1")
    write(log, calls(range(8, 12)))
    store, outcome = read_into(tmp_path / "store", tmp_path / "audit.log.1", log)
    assert (outcome.events, outcome.known) == (14, 0)
    zipped(tmp_path / "audit.log.1.gz", [*calls(range(5)), b"{", *calls(range(5, 8))])
    (tmp_path / "audit.log.1").unlink()
    store, outcome = read_into(tmp_path / "store", tmp_path / "audit.log.1.gz", log)
    assert (outcome.events, outcome.known) == (0, 0)
    assert ids(store) == expected(range(12))
    assert [line for _, line, _ in problems_of(store)] == [11]


def test_a_log_copied_and_truncated_in_place(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(5)))
    read_into(tmp_path / "store", log)
    add(log, calls(range(5, 7)))
    shutil.copy(log, tmp_path / "audit.log.1")
    os.truncate(log, 0)
    add(log, calls(range(7, 9)))
    store, _ = read_into(tmp_path / "store", tmp_path)
    assert ids(store) == expected(range(9))


def test_an_older_and_shorter_copy_adds_nothing(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(5)))
    read_into(tmp_path / "store", log)
    copy = write(tmp_path / "copy.log", calls(range(3)))
    store, outcome = read_into(tmp_path / "store", copy, log)
    assert outcome.events == 0
    assert ids(store) == expected(range(5))


def test_another_log_with_the_same_beginning_is_read_as_another(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(5)))
    read_into(tmp_path / "store", log)
    other = write(tmp_path / "other.log", calls([0, *range(10, 20)]))
    store, outcome = read_into(tmp_path / "store", other)
    assert (outcome.events, outcome.known) == (20, 2)
    assert ids(store) == expected([*range(5), *range(10, 20)])


def test_entries_of_two_devices_are_one(tmp_path: Path) -> None:
    both = calls(range(50))
    one = write(tmp_path / "one.log", both[:60])
    salted = [line.replace(b'{"auth"', b'{"salted":"otherwise","auth"') for line in both[40:]]
    two = write(tmp_path / "two.log", salted)
    store, outcome = read_into(tmp_path / "store", one, two)
    assert (outcome.events, outcome.known) == (100, 20)
    assert ids(store) == expected(range(50))
    activity = {
        (Path(row["device"]).name, row["entries"]) for row in rows_of(tables_of(store).activity)
    }
    assert activity == {("one.log", 60), ("two.log", 60)}


def test_two_devices_that_write_to_one_file(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", [line for line in calls(range(9)) for _ in "ab"])
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.known) == (18, 18)
    assert [one["line"] for one in events_of(store)] == list(range(1, 37, 2))


HOURS = 3600


def test_copies_hours_apart_are_one_across_runs(tmp_path: Path) -> None:
    first = [line for number in range(400) for line in call(number)]
    late = [line for number in range(400) for line in call(number, at=number + 7 * HOURS)]
    later = [line for number in range(300, 500) for line in call(number, at=number + 90 * HOURS)]
    store, outcome = read_into(tmp_path / "store", write(tmp_path / "one.log", first))
    assert (outcome.events, outcome.known) == (800, 0)
    two = write(tmp_path / "two.log", late[:500])
    store, outcome = read_into(tmp_path / "store", two, slice_bytes=1)
    assert (outcome.events, outcome.known) == (0, 500)
    add(two, late[500:])
    three = write(tmp_path / "three.log", later)
    store, outcome = read_into(tmp_path / "store", two, three)
    assert (outcome.events, outcome.known) == (200, 500)
    assert ids(store) == expected(range(500))


def test_copies_hours_apart_within_one_file_are_one(tmp_path: Path) -> None:
    lines = [*calls(range(9)), *(line for n in range(9) for line in call(n, at=n + 5 * HOURS))]
    store, outcome = read_into(tmp_path / "store", write(tmp_path / "audit.log", lines))
    assert (outcome.events, outcome.known) == (18, 18)
    assert [one["line"] for one in events_of(store)] == list(range(1, 19))


def test_the_files_of_keys_stay_few_and_hold_each_entry_once(tmp_path: Path) -> None:
    for number in range(40):
        log = write(tmp_path / f"{number}.log", calls(range(number, number + 3)))
        store, _ = read_into(tmp_path / "store", log)
        assert sum(one.rows for one in store.manifest.keys) == 2 * (number + 3)
        assert len(store.manifest.keys) <= 6
    assert ids(store) == expected(range(42))


BEFORE, AFTER = "before the commit", "after the commit"


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_killed_around_any_commit_nothing_is_lost_or_doubled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int, moment: str
) -> None:
    lines = calls(range(3000))
    lines[3333] = b"{"
    log = write(tmp_path / "audit.log", lines)
    commits = 0
    commit = Store.commit

    def killed(self: Store, manifest: Manifest) -> None:
        nonlocal commits
        commits += 1
        if commits == killed_at and moment is BEFORE:
            raise Killed
        if commits > killed_at:
            raise Killed  # the attempt that `finally` makes: a killed process makes none
        commit(self, manifest)
        if commits == killed_at:
            raise Killed

    store = Store(tmp_path / "store")
    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", killed)
        with pytest.raises(Killed):
            read(store, [log], slice_bytes=1)
    left = len(ids(Store(tmp_path / "store"))) if moment is AFTER or killed_at > 1 else 0
    assert left < len(lines) - 1
    store, outcome = read_into(tmp_path / "store", log)
    assert outcome.events == len(lines) - 1 - left
    assert outcome.known == 0
    whole = expected(range(3000))
    whole.remove(("00000000-0000-4000-8001-000000001666", "response"))
    assert ids(store) == whole
    assert [line for _, line, _ in problems_of(store)] == [3334]
    left_there = (tmp_path / "store").glob("*-*.*")
    assert {path.name for path in left_there} == store.manifest.files


def test_many_small_files_become_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY", 3)
    for number in range(5):
        store, _ = read_into(tmp_path / "store", write(tmp_path / f"{number}.log", call(number)))
    assert len(store.files("events")) <= 3
    assert ids(store) == expected(range(5))
    again = write(tmp_path / "again.log", [b"", *call(2)])
    assert read_into(tmp_path / "store", again)[1].known == 2


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", call(1))
    store = Store(tmp_path / "store")
    with store.writing(), pytest.raises(AuditError, match="is being written to"):
        read_into(tmp_path / "store", log)
    assert read_into(tmp_path / "store", log)[1].events == 2


def damage(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"version": 1')


def from_the_past(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"version": 3, "tables": {}}')


def from_the_future(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"version": 5, "tables": {}}')


@pytest.mark.parametrize("spoil", [damage, from_the_past, from_the_future])
def test_a_store_that_is_damaged_or_of_another_version(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    read_into(tmp_path / "store", write(tmp_path / "audit.log", call(1)))
    spoil(tmp_path / "store")
    with pytest.raises(AuditError, match="store cannot be read") as refused:
        Store(tmp_path / "store")
    assert "read the logs into it anew" in refused.value.fix


def test_a_store_where_nothing_may_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditError, match="store cannot be opened"):
        Store(tmp_path / "file" / "store")


def test_nothing_of_a_line_but_its_columns_is_kept(tmp_path: Path) -> None:
    kept = b"fake-value-that-must-not-be-kept"
    lines = [
        line.replace(b'"remote', b'"data":{"password":"' + kept + b'"},"remote') for line in call(1)
    ]
    read_into(tmp_path / "store", write(tmp_path / "audit.log", [*lines, b'{"' + kept]))
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if kept in path.read_bytes()] == []
