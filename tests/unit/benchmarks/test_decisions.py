"""The cases of the decisions benchmark prove something, and both readings of a policy agree."""

from __future__ import annotations

from benchmarks.decisions import Stopwatch, evaluated, some_cases


def test_the_cases_are_the_same_each_time_and_not_one_sided() -> None:
    assert some_cases(3, 5) == some_cases(3, 5)
    watch = Stopwatch()
    answers = [answer for case in some_cases(10, 50) for answer in evaluated(case, watch)]
    kinds = {frozenset(answer) for answer in answers}
    assert kinds == {frozenset({"deny"}), frozenset({"read"}), frozenset({"read", "list"})}
    assert len(answers) * 0.1 < sum(a == {"deny"} for a in answers) < len(answers) * 0.9


def test_the_time_of_every_case_is_added_up() -> None:
    watch, (case,) = Stopwatch(), some_cases(1, 50)
    evaluated(case, watch)
    first = dict(watch.seconds)
    evaluated(case, watch)
    assert first.keys() == {"evaluator", "evaluator, policies read from text"}
    assert all(watch.seconds[what] > spent > 0 for what, spent in first.items())
