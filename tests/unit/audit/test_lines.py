"""Lines of logs: what is a line, which number it has, and what becomes of one that is no entry."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow
import pytest

from audit import slices
from audit.errors import AuditError
from audit.logs import device_of
from audit.schema import EVENTS, Source
from tests.unit.audit.entries import (
    REAL,
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

CUT = "the line is cut or damaged: it is no JSON"
NO_ENTRY = "the line is JSON, but no entry of a vault audit log"
NO_END = "the last line has no end: it is cut, or still being written"


def test_every_real_line_is_one_event(tmp_path: Path) -> None:
    store, outcome = read_into(tmp_path / "store", REAL)
    count = len(REAL.read_bytes().splitlines())
    assert (outcome.events, outcome.known, outcome.problems) == (count, 0, 0)
    assert [one["line"] for one in events_of(store)] == list(range(1, count + 1))
    assert tables_of(store).events.columns == EVENTS.names


def test_lines_that_are_no_entries_are_named_and_cost_no_other_line(tmp_path: Path) -> None:
    good = calls(range(6))
    lines = [
        good[0],
        good[1][:200],
        b"",
        good[1],
        b'{"level":"info","msg":"fake"}',
        b"\0\0\0" + good[2],
        good[3] + good[4],
        b"  \t",
        b'{"type":"request","request":{"id":"x"},"time":"never"}',
        b"[1, 2]",
        b"\xff\xfe",
        good[5],
        *good[6:],
    ]
    store, outcome = read_into(tmp_path / "store", write(tmp_path / "audit.log", lines))
    assert problems_of(store) == [
        ("audit.log", 2, CUT),
        ("audit.log", 5, NO_ENTRY),
        ("audit.log", 6, CUT),
        ("audit.log", 7, CUT),
        ("audit.log", 9, NO_ENTRY),
        ("audit.log", 10, NO_ENTRY),
        ("audit.log", 11, CUT),
    ]
    assert outcome.problems == 7
    numbers = [one["line"] for one in events_of(store)]
    assert numbers == [1, 4, 12, *range(13, 13 + 6)]


@pytest.mark.parametrize("slice_bytes", [1, 700, 2**20])
def test_numbers_do_not_depend_on_where_slices_end(tmp_path: Path, slice_bytes: int) -> None:
    lines = calls(range(1, 2000))
    lines[1234] = b"{"
    log = write(tmp_path / "audit.log", lines)
    store, _ = read_into(tmp_path / "store", log, slice_bytes=slice_bytes)
    assert problems_of(store) == [("audit.log", 1235, CUT)]
    assert [one["line"] for one in events_of(store)] == [
        number for number in range(1, len(lines) + 1) if number != 1235
    ]


def test_a_last_line_without_its_end_is_left_until_it_has_one(tmp_path: Path) -> None:
    first, second = call(1)
    log = tmp_path / "audit.log"
    log.write_bytes(first + b"\n" + second[:300])
    store, outcome = read_into(tmp_path / "store", log)
    assert [(one.line, one.reason) for one in outcome.unfinished] == [(2, NO_END)]
    assert (outcome.events, problems_of(store)) == (1, [])
    write(log, [first, second])
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.unfinished) == (1, [])
    assert ids(store) == expected([1])


def test_a_whole_last_line_without_a_newline_counts_and_numbers_stay(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_bytes(b"\n".join(call(1)))
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.unfinished) == (2, [])
    write(log, calls([1, 2]))
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.known) == (2, 0)
    assert [one["line"] for one in events_of(store)] == [1, 2, 3, 4]


def test_a_line_beyond_all_measure_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "LONGEST_LINE", 2**20)
    monster = b'{"type":"request","fill":"' + b"x" * 2**22 + b'"}'
    log = write(tmp_path / "audit.log", [*call(1), monster, *call(2)])
    store, _ = read_into(tmp_path / "store", log)
    assert problems_of(store) == [("audit.log", 3, "the line is longer than 1 MiB")]
    assert [one["line"] for one in events_of(store)] == [1, 2, 4, 5]


def test_compressed_logs_are_known_by_their_bytes(tmp_path: Path) -> None:
    lines = calls(range(400))
    text = b"".join(line + b"\n" for line in lines)
    members = tmp_path / "members.log"
    members.write_bytes(gzip.compress(text[:1000]) + gzip.compress(text[1000:]))
    zstd = tmp_path / "zstd.log"
    zstd.write_bytes(pyarrow.Codec("zstd").compress(text, asbytes=True))
    for log in (zipped(tmp_path / "plain.log", lines), members, zstd):
        store, outcome = read_into(tmp_path / f"store-{log.stem}", log)
        assert (outcome.problems, outcome.unfinished) == (0, []), log.name
        assert ids(store) == expected(range(400)), log.name


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_compressed_log_that_ends_too_early_gives_what_it_holds(
    tmp_path: Path, codec: str
) -> None:
    text = b"".join(line + b"\n" for line in calls(range(3000)))
    whole = (
        gzip.compress(text)
        if codec == "gzip"
        else pyarrow.Codec("zstd").compress(text, asbytes=True)
    )
    log = tmp_path / "audit.log.1"
    log.write_bytes(whole[: len(whole) // 2])
    store, outcome = read_into(tmp_path / "store", log)
    assert [one.reason for one in outcome.unfinished] == ["the compressed file ends in its middle"]
    assert 0 < outcome.events < 6000
    log.write_bytes(whole)
    store, outcome = read_into(tmp_path / "store", log)
    assert outcome.unfinished == []
    assert ids(store) == expected(range(3000))


def test_empty_and_foreign_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    empty = tmp_path / "logs" / "audit.log"
    empty.touch()
    assert read_into(tmp_path / "store", empty)[1].empty == [str(empty)]
    foreign = tmp_path / "logs" / "vault.log"
    foreign.write_text("2026-01-05T09:00:00Z [INFO] core: fake server log\n" * 3)
    with pytest.raises(AuditError, match="no audit log") as refused:
        read_into(tmp_path / "store", foreign)
    assert "none of its first 4 lines" in refused.value.why
    assert "fake server log" not in str(refused.value)
    with pytest.raises(AuditError, match="not there"):
        read_into(tmp_path / "store", tmp_path / "nowhere.log")
    write(tmp_path / "logs" / "second.log", call(1))
    _, outcome = read_into(tmp_path / "store", tmp_path / "logs")
    assert (outcome.events, outcome.foreign, outcome.empty) == (2, [str(foreign)], [str(empty)])


@pytest.mark.parametrize(
    "name",
    [
        "audit.log.1",
        "audit.log.12.gz",
        "audit.log-20260105",
        "audit.log-20260105.zst",
        "audit-2026-01-05T09-00-00.000.log",
        "audit.log",
    ],
)
def test_rotated_files_belong_to_their_device(tmp_path: Path, name: str) -> None:
    assert device_of(tmp_path / name, Source.VAULT) == str(tmp_path / "audit.log")


@pytest.mark.parametrize("name", ["vault-0.log", "audit2.log"])
def test_a_servers_number_is_no_rotation(tmp_path: Path, name: str) -> None:
    assert device_of(tmp_path / name, Source.VAULT) == str(tmp_path / name)
