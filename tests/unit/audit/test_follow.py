"""Following a log that is written and rotated meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audit import follow as following
from audit.errors import AuditError
from audit.follow import follow
from tests.unit.audit.entries import call, calls, write, zipped

Step = Callable[[], object]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAUSE_SECONDS", 0)


def add(log: Path, lines: list[bytes]) -> Step:
    def step() -> None:
        with log.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))

    return step


def heard(log: Path, *steps: Step, from_start: bool = False) -> tuple[list[int], list[int]]:
    """Numbers of the calls and of the broken lines that come while the steps are taken.

    A step is taken whenever the log has been read to its end.
    """
    left: Iterator[Step] = iter(steps)

    def stop() -> bool:
        step = next(left, None)
        if step:
            step()
        return step is None

    found: list[int] = []
    broken: list[int] = []
    for news in follow(log, from_start=from_start, stop=stop):
        responses = [one for one in news.events if one["phase"] == "response"]
        found += [int(one["request_id"][-12:]) for one in responses]
        broken += [one.line for one in news.problems]
    return found, broken


def test_from_now_on_or_from_the_start(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(3)))
    more = add(log, [b"{", *calls([3, 4])])
    assert heard(log, more, lambda: None) == ([3, 4], [7])
    assert heard(log, from_start=True) == ([0, 1, 2, 3, 4], [7])


def test_a_line_comes_when_it_is_whole(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", call(1))
    request, response = call(2)

    def half() -> None:
        with log.open("ab") as file:
            file.write(request + b"\n" + response[:100])

    def rest() -> None:
        with log.open("ab") as file:
            file.write(response[100:] + b"\n")

    assert heard(log, half, rest, lambda: None) == ([2], [])


def test_a_renamed_log_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", call(1))
    old = tmp_path / "audit.log.1"

    def late_and_new() -> None:
        add(old, call(3))()
        add(log, call(4))()

    steps = (lambda: log.rename(old), add(old, call(2)), log.touch, late_and_new, add(log, call(5)))
    assert heard(log, *steps, lambda: None, lambda: None) == ([2, 3, 4, 5], [])


def test_a_log_truncated_in_place_goes_on(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", calls(range(5)))

    def truncate() -> None:
        os.truncate(log, 0)
        add(log, call(7))()

    assert heard(log, truncate, lambda: None) == ([7], [])


def test_an_empty_log_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.touch()
    assert heard(log, lambda: None, add(log, call(1)), lambda: None) == ([1], [])


def test_what_cannot_be_followed(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        heard(tmp_path / "nowhere.log")
    with pytest.raises(AuditError, match="cannot be followed"):
        heard(zipped(tmp_path / "audit.log.gz", call(1)))
    foreign = write(tmp_path / "vault.log", [b"fake server log", b"more of it"])
    with pytest.raises(AuditError, match="no audit log"):
        heard(foreign)
