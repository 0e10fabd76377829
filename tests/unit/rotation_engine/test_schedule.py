"""Due times: deterministic, never two within a window, no credential older than its interval."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.schedule import DAY, Timetable, timetables

HOUR = 3600
DAYS = st.lists(st.sampled_from([1, 7, 14, 30, 45, 60, 90, 365]), min_size=1, max_size=12)
NOW = st.integers(min_value=1_700_000_000, max_value=2_000_000_000)


def due_times(table: Timetable, start: int, end: int) -> list[float]:
    """Every due time within, asked one after the other."""
    found = []
    at = table.following(start)
    while at < end:
        found.append(at)
        at = table.following(at)
    return found


@given(DAYS, NOW)
def test_no_two_rotations_are_ever_due_within_a_window(days: list[int], start: int) -> None:
    tables = timetables(days, HOUR)  # twelve fit into any day
    times = sorted(
        itertools.chain.from_iterable(due_times(t, start, start + 400 * DAY) for t in tables)
    )
    assert all(later - earlier >= HOUR for earlier, later in itertools.pairwise(times))


@given(DAYS, NOW)
def test_every_interval_has_exactly_one_due_time(days: list[int], start: int) -> None:
    for table, every in zip(timetables(days, 60), days, strict=True):
        assert len(due_times(table, start, start + every * DAY + 1)) in (1, 2)
        assert table.following(start) - start <= every * DAY
        assert table.latest(table.following(start)) == table.following(start)


@given(DAYS, NOW)
def test_no_credential_gets_older_than_its_interval(days: list[int], begun: int) -> None:
    table = timetables(days, 60)[0]
    assert table.is_due(begun + days[0] * DAY, begun)
    assert not table.is_due(begun, begun)
    assert table.is_late(begun + days[0] * DAY + 60, begun)


def test_a_pair_is_half_a_period_apart() -> None:
    first, second = timetables([90, 90], HOUR)
    assert second.phase - first.phase == 45 * DAY


def test_one_more_at_the_end_moves_no_other() -> None:
    three, four = timetables([90] * 3, HOUR), timetables([90] * 4, HOUR)
    assert four[:3] == three


def test_what_was_never_rotated_is_due_at_once_and_not_late() -> None:
    (table,) = timetables([90], HOUR)
    assert table.is_due(1_800_000_000, None)
    assert not table.is_late(1_800_000_000, None)


def test_a_begin_in_the_future_is_a_wrong_clock_and_not_a_reason_to_wait() -> None:
    (table,) = timetables([90], HOUR)
    now = table.latest(1_800_000_000) + DAY
    assert table.is_due(now, now + 400 * DAY)
    assert not table.is_due(now, now + HOUR - 1)
    assert not table.is_late(now, now + HOUR - 1)


def test_too_many_for_their_common_interval_are_refused() -> None:
    with pytest.raises(ValueError, match=r"20 rotations do not fit.*1 days in common"):
        timetables([7] * 10 + [30] * 10, HOUR)
