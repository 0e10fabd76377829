"""The runner: due or not, one at a time, killed anywhere and gone on with, told when stuck."""

from __future__ import annotations

import json

import pytest

from rotation import events, holder
from rotation.record import Failure, Record
from rotation.runner import LEASE_SECONDS, Result
from rotation.schedule import DAY
from rotation.standing import State, standings
from rotation.steps import Facts, Pending, Run
from tests.unit.rotation_engine.fakes import WINDOW, Bench
from vaultops.errors import DeniedError, VaultOpsError


class Killed(BaseException):
    """What SIGKILL is to a process: nothing is cleaned up."""


def told(bench: Bench) -> list[str]:
    found = [json.loads(str(line)) for line in bench.log.lines()]
    return [f"{one['event']} {one['step']}".strip() for one in found]


def test_a_rotation_runs_its_steps_in_order_and_tells_each() -> None:
    bench = Bench()
    (outcome,) = bench.runner.go([bench.rotation()], early=False)
    assert outcome.result is Result.FINISHED
    assert bench.done == ["first", "second", "third"]
    assert told(bench) == [
        "began",
        *("step-done first", "step-done second", "step-done third"),
        "finished",
    ]
    record, _ = bench.records.load("one")
    assert record is not None
    assert not record.is_open
    assert record.holder == ""
    assert dict(record.facts) == {f"fact-of-{n}": "known" for n in bench.done}
    assert events.verify(bench.log.lines(), bench.signer.public) == []


def test_what_is_not_due_is_left_alone_until_it_is() -> None:
    bench = Bench()
    rotation = bench.rotation()
    bench.runner.go([rotation], early=False)
    assert bench.runner.go([rotation], early=False)[0].result is Result.FINE
    bench.clock.at = rotation.timetable.following(bench.clock.at)
    assert standings([rotation], bench.records, bench.clock())[0].state is State.DUE
    assert standings([rotation], bench.records, bench.clock() + WINDOW)[0].state is State.LATE
    assert bench.runner.go([rotation], early=False)[0].result is Result.FINISHED
    assert bench.runner.go([rotation], early=True)[0].result is Result.FINISHED
    assert len(bench.done) == 9


@pytest.mark.parametrize("save", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_record_it_is_gone_on_with(save: int, after: bool) -> None:
    bench = Bench()
    saves = 0

    def die(record: Record) -> None:
        nonlocal saves
        saves += 1
        if saves == save + after:
            raise Killed

    bench.records.fail = die
    rotation = bench.rotation()
    try:
        bench.runner.go([rotation], early=False)
    except Killed:
        bench.records.fail = lambda _: None
        bench.clock.at += LEASE_SECONDS + 1
        (outcome,) = bench.runner.go([rotation], early=False)
        assert outcome.result is Result.FINISHED
    assert sorted(set(bench.done)) == ["first", "second", "third"]
    assert len(bench.done) <= 4, "one step at most is done twice"
    assert events.verify(bench.log.lines(), bench.signer.public) == []


def test_the_lease_of_a_living_runner_is_kept_and_a_dead_ones_is_not() -> None:
    bench = Bench()
    rotation = bench.rotation("one", bench.step("first", lambda _: Pending("the world")))
    bench.runner.go([rotation], early=False)
    record, version = bench.records.load("one")
    assert record is not None
    for name, result in (
        ("elsewhere/pid:[1]/7/123", Result.HELD),
        (holder.myself(), Result.HELD),
        (holder.myself() + "0", Result.WAITS),  # this PID, begun at another time: gone
    ):
        taken = Record(**{**vars(record), "holder": name, "until": bench.clock() + 60})
        version = bench.records.save(taken, version)
        assert bench.runner.go([rotation], early=False)[0].result is result, name
        version = bench.records.load("one")[1]
    bench.records.save(taken, version)
    bench.clock.at += 61
    assert bench.runner.go([rotation], early=False)[0].result is Result.WAITS


def test_of_two_runners_the_slower_gives_way_before_it_acts() -> None:
    bench = Bench()
    rotation = bench.rotation()

    def faster(_: Record) -> None:
        bench.records.fail = lambda _: None
        bench.runner.go([rotation], early=False)

    bench.records.fail = faster
    (outcome,) = bench.runner.go([rotation], early=False)
    assert outcome.result is Result.HELD
    assert bench.done == ["first", "second", "third"]


def test_a_wrong_clock_holds_nothing_for_ever() -> None:
    bench = Bench()
    now, ahead = bench.clock.at, bench.clock.at + 400 * DAY
    one, alike = bench.rotation("one"), bench.rotation("alike")
    bench.clock.at = ahead
    bench.runner.go([one], early=False)
    bench.clock.at = now
    assert bench.runner.go([alike, one], early=False)[0].result is Result.FINISHED
    bench.clock.at += WINDOW
    assert standings([one], bench.records, bench.clock())[0].state is State.DUE
    assert bench.runner.go([one], early=False)[0].result is Result.FINISHED
    waits = bench.rotation("waits", bench.step("wait", lambda _: Pending("x")), kind="another")
    bench.runner.go([waits], early=False)
    record, version = bench.records.load("waits")
    assert record is not None
    far = Record(**{**vars(record), "holder": "elsewhere/pid:[1]/7/123", "until": ahead})
    bench.records.save(far, version)
    assert standings([waits], bench.records, bench.clock())[0].state is State.WAITS
    assert bench.runner.go([waits], early=False)[0].result is Result.WAITS


def test_a_damaged_record_stops_no_other_but_its_pair() -> None:
    bench = Bench()
    bench.records.kept["one"] = ("{}", 3)
    one = bench.rotation("one", pair="app")
    other = bench.rotation("other", pair="app", kind="another")
    alike = bench.rotation("alike")
    results = [o.result for o in bench.runner.go([one, other, alike], early=False)]
    assert results == [Result.FAILED, Result.HELD, Result.FINISHED]
    assert bench.records.kept["one"] == ("{}", 3)
    found = standings([one, alike], bench.records, bench.clock())
    assert [each.state for each in found] == [State.FAILED, State.FINE]
    assert "cannot be read" in found[0].reason
    assert "A record is damaged" in found[0].remedy


def test_a_pair_and_a_kind_never_begin_together() -> None:
    bench = Bench()
    waits = bench.step("wait", lambda _: Pending("pods"))
    one = bench.rotation("one", waits, pair="app")
    other = bench.rotation("other", bench.step("change"), pair="app", kind="another")
    alike = bench.rotation("alike", bench.step("alike"))
    results = [o.result for o in bench.runner.go([one, other, alike], early=False)]
    assert results == [Result.WAITS, Result.HELD, Result.HELD]
    bench.clock.at += WINDOW
    results = [o.result for o in bench.runner.go([one, other, alike], early=True)]
    assert results == [Result.WAITS, Result.HELD, Result.FINISHED]
    assert bench.done == ["wait", "wait", "alike"]


def test_one_that_fails_stops_no_other_and_says_what_to_do() -> None:
    bench = Bench()

    def refuse(_: Run) -> Facts:
        raise DeniedError("no", where="there", why="not allowed", fix="ask for the right")

    broken = bench.rotation("broken", bench.step("first", refuse))
    results = [
        o.result
        for o in bench.runner.go([broken, bench.rotation("fine", kind="another")], early=False)
    ]
    assert results == [Result.FAILED, Result.FINISHED]
    (standing,) = standings([broken], bench.records, bench.clock() + 60)
    assert (standing.state, standing.step, standing.age) == (State.FAILED, "first", 60)
    assert standing.reason == "no: not allowed"
    assert standing.remedy == "ask for the right"
    assert "failed first" in told(bench)


def test_a_stuck_one_is_told_with_its_step_age_and_remedy() -> None:
    bench = Bench()
    rotation = bench.rotation(
        "one", bench.step("first"), bench.step("wait", lambda _: Pending("pod a-1 is silent"))
    )
    bench.runner.go([rotation], early=False)
    bench.runner.go([rotation], early=False)
    assert told(bench).count("waits wait") == 1, "the same wait is no news"
    (standing,) = standings([rotation], bench.records, bench.clock() + DAY)
    assert standing.state is State.WAITS
    (standing,) = standings([rotation], bench.records, bench.clock() + DAY + 1)
    assert (standing.state, standing.step) == (State.STUCK, "wait")
    assert standing.age == DAY + 1
    assert standing.reason == "pod a-1 is silent"
    assert standing.remedy == "the remedy of wait"


def test_a_step_that_is_no_more_is_told_and_nothing_is_done() -> None:
    bench = Bench()
    bench.runner.go([bench.rotation("one", bench.step("old", lambda _: Pending("")))], early=True)
    bench.done.clear()
    (outcome,) = bench.runner.go([bench.rotation()], early=True)
    assert outcome.result is Result.FAILED
    assert "'old', which is none of its steps" in outcome.detail
    assert bench.done == []


def test_records_come_back_whole_and_damaged_ones_are_refused() -> None:
    record = Record(
        rotation="one",
        kind="k",
        run="r",
        started=1.5,
        step="s",
        since=2.5,
        facts={"new": "app"},
        failure=Failure(what="a", where="b", why="c", fix="d", at=3),
    )
    assert Record.read(record.text(), where="there") == record
    for damaged in ("", "[]", "{}", record.text()[:-9], record.text().replace("since", "sense")):
        with pytest.raises(VaultOpsError, match=r"cannot be read\n  where: there"):
            Record.read(damaged, where="there")
