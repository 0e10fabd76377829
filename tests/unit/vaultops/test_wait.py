"""Waiting with a deadline, and the form of every error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vaultops import errors, wait
from vaultops.errors import VaultOpsError, WaitedTooLongError
from vaultops.wait import wait_for


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """The moment."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wait, "time", clock)
    return clock


def answers(*each: str | None) -> Callable[[], str | None]:
    """A probe with these answers, the last one for ever."""
    left = list(each)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_condition_that_holds_is_not_waited_for(clock: Clock) -> None:
    wait_for(answers(None), what="w", where="here", seconds=0, fix="f")
    assert clock.slept == []


def test_each_new_answer_is_told_once(clock: Clock) -> None:
    told: list[str] = []
    probe = answers("one", "one", "two", "one", None)
    wait_for(probe, what="peace", where="here", seconds=60, fix="f", on_change=told.append)
    assert told == [f"waiting for peace: {answer}" for answer in ("one", "two", "one")]
    assert len(clock.slept) == 4


def test_after_the_deadline_the_last_answer_is_the_reason(clock: Clock) -> None:
    with pytest.raises(WaitedTooLongError) as late:
        wait_for(answers("one", "two"), what="peace", where="here", seconds=10, fix="try again")
    assert 10 <= sum(clock.slept) <= 10 + wait.POLL_SECONDS
    assert str(late.value) == (
        "waited 10 s for peace\n  where: here\n  why: two\n  what to do: try again"
    )


def test_a_condition_that_comes_true_at_the_last_moment_counts(clock: Clock) -> None:
    wait_for(
        lambda: None if clock.now >= 1010 else "not yet", what="w", where="w", seconds=10, fix="f"
    )


def test_each_kind_of_error_has_its_own_exit_status() -> None:
    kinds = [VaultOpsError, *VaultOpsError.__subclasses__()]
    ours = [kind for kind in kinds if kind.__module__ == errors.__name__]
    statuses = [kind.exit_status for kind in ours]
    assert len(ours) == 6
    assert len(set(statuses)) == len(statuses)
    assert 0 not in statuses
