"""Detections of what is new to a subject: hours, rate, network, path, breadth.

Each with a finding, none, one just below the threshold, and one before the warm-up is over.
"""

from __future__ import annotations

from dataclasses import replace

from audit.detections import first_path, frequency, new_address, sweep, unusual_hours
from audit.known import Known
from tests.unit.audit_anomalies.logs import (
    ALICE,
    AWAY,
    BOB,
    HOME,
    OWN,
    Call,
    at,
    denied,
    found,
    office,
)

THREE_WEEKS = range(21)
THEIRS = "secret/data/fake/theirs"


def test_work_at_night_is_unusual_for_office_hours() -> None:
    [finding] = found(
        unusual_hours.DETECTION, [*office(THREE_WEEKS), Call(time=at(21, 3)), Call(time=at(21, 4))]
    )
    assert finding.subject == ALICE
    assert finding.start == finding.detected == at(21, 3)
    assert "03:00 UTC on a Monday" in finding.reason
    assert 0.5 < finding.score < 1
    assert finding.evidence[0].file == "/fake/audit.log"


def test_a_long_evening_is_not_unusual() -> None:
    assert found(unusual_hours.DETECTION, [*office(THREE_WEEKS), Call(time=at(21, 18))]) == []


def test_an_hour_just_far_enough_is_unusual() -> None:
    assert found(unusual_hours.DETECTION, [*office(THREE_WEEKS), Call(time=at(21, 19))])


def test_the_clock_goes_round() -> None:
    late = [replace(c, time=c.time.replace(hour=23)) for c in office(THREE_WEEKS)]
    assert found(unusual_hours.DETECTION, [*late, Call(time=at(22, 1))]) == []


def test_a_first_saturday_is_unusual_and_a_second_is_not() -> None:
    calls = [*office(range(19)), Call(time=at(19, 10)), Call(time=at(26, 10))]
    assert [f.start for f in found(unusual_hours.DETECTION, calls)] == [at(19, 10)]


def test_hours_are_not_judged_in_the_first_two_weeks() -> None:
    assert found(unusual_hours.DETECTION, [*office(range(12)), Call(time=at(11, 3))]) == []


def test_a_subject_without_a_rhythm_is_not_judged() -> None:
    scattered = [Call(time=at(day, (day * 7) % 20)) for day in range(28)]
    assert found(unusual_hours.DETECTION, [*scattered, Call(time=at(29, 22))]) == []


def flood(calls: int, day: int = 21) -> list[Call]:
    return [Call(time=at(day, 10, 2 + number * 3)) for number in range(calls)]


def test_a_flood_is_found_when_it_passes_the_limit() -> None:
    [finding] = found(frequency.DETECTION, [*office(THREE_WEEKS), *flood(300)])
    assert finding.count == 300
    assert at(21, 10) < finding.detected < at(21, 10, 200)
    assert "300 calls within an hour; 10 is usual" in finding.reason


def test_usual_hours_are_no_flood() -> None:
    assert found(frequency.DETECTION, office(range(25))) == []


def test_fewer_than_the_least_are_no_flood() -> None:
    assert found(frequency.DETECTION, [*office(THREE_WEEKS), *flood(49)]) == []
    assert found(frequency.DETECTION, [*office(THREE_WEEKS), *flood(50)])


def test_frequency_is_not_judged_before_a_day_of_active_hours() -> None:
    assert found(frequency.DETECTION, [*office(range(2)), *flood(300, day=2)]) == []


def test_a_call_from_elsewhere_is_a_new_address() -> None:
    calls = [*office(range(10)), Call(time=at(10, 10), address=AWAY)]
    [finding] = found(new_address.DETECTION, calls)
    assert (finding.address, finding.subject, finding.score) == (AWAY, ALICE, 1.0)
    assert "only seen on 1 network before" in finding.reason


def test_another_address_of_the_same_network_is_not_new() -> None:
    calls = [*office(range(10)), Call(time=at(10, 10), address="10.0.0.200")]
    assert found(new_address.DETECTION, calls) == []


def test_one_of_the_networks_that_are_known_is_not_new() -> None:
    known = Known.model_validate({"networks": ["10.0.0.0/16"]})
    near = Call(time=at(10, 10), address="10.0.99.1")
    almost = Call(time=at(10, 11), address="10.1.0.1")
    findings = found(new_address.DETECTION, [*office(range(10)), near, almost], known)
    assert [finding.address for finding in findings] == ["10.1.0.1"]


def test_six_groups_of_ipv6_are_one_network() -> None:
    first, second = "2001:db8:0:1:a:b:c:d", "2001:db8:0:1:1:2:3:4"
    calls = [*office(range(10), address=first), Call(time=at(10, 10), address=second)]
    assert found(new_address.DETECTION, calls) == []


def test_addresses_are_not_judged_in_the_first_week() -> None:
    calls = [*office(range(3)), Call(time=at(6, 10), address=AWAY)]
    assert found(new_address.DETECTION, calls) == []


def test_who_moves_about_is_not_judged() -> None:
    moving = [Call(time=at(0, 9, n), address=f"10.{n}.0.1") for n in range(9)]
    calls = [*moving, *office(range(10)), Call(time=at(10, 10), address=AWAY)]
    assert found(new_address.DETECTION, calls) == []


def others() -> list[Call]:
    """Somebody else's secret, read by its owner for weeks."""
    return list(office(range(0, 21, 7), subject=BOB, path=THEIRS))


def test_a_first_read_of_somebody_elses_secret_is_found() -> None:
    calls = [*office(range(10)), *others(), Call(time=at(10, 10), path=THEIRS)]
    [finding] = found(first_path.DETECTION, calls)
    assert (finding.subject, finding.path, finding.start) == (ALICE, THEIRS, at(10, 10))
    assert finding.severity == "medium"


def test_what_is_vaults_own_in_a_namespace_is_no_secret_and_a_folder_of_its_name_is() -> None:
    own = Call(time=at(10, 10), path="team/auth/token/renew-self", mount="team/auth/token/")
    log = [*office(range(10)), *others()]
    assert found(first_path.DETECTION, [*log, own]) == []
    theirs = f"{THEIRS}/auth/sys/key"
    secret = [*office(range(0, 21, 7), subject=BOB, path=theirs), replace(own, path=theirs)]
    secret = [replace(call, mount="secret/") for call in secret]
    assert [f.path for f in found(first_path.DETECTION, [*log, *secret])] == [theirs]


def test_several_new_paths_within_an_hour_are_one_finding() -> None:
    news = [Call(time=at(10, 10, n), path=f"{THEIRS}/{n}") for n in range(3)]
    [finding] = found(first_path.DETECTION, [*office(range(10)), *news])
    assert (finding.count, len(finding.evidence)) == (3, 3)
    assert "and 2 more" in finding.reason


def test_a_path_is_new_once() -> None:
    again = [Call(time=at(day, 10), path=THEIRS) for day in (10, 11)]
    assert len(found(first_path.DETECTION, [*office(range(12)), *others(), *again])) == 1


def test_a_new_secret_is_not_somebody_elses() -> None:
    written = Call(time=at(9, 10), subject=BOB, path=THEIRS, operation="update")
    calls = [*office(range(10)), written, Call(time=at(10, 10), path=THEIRS)]
    assert found(first_path.DETECTION, calls) == []


def test_a_secret_that_is_written_again_is_still_somebody_elses() -> None:
    written = Call(time=at(9, 10), subject=BOB, path=THEIRS, operation="update")
    calls = [*office(range(10)), *others(), written, Call(time=at(10, 10), path=THEIRS)]
    assert len(found(first_path.DETECTION, calls)) == 1


def test_a_refused_read_is_no_first_read() -> None:
    calls = [*office(range(10)), *others(), denied(Call(time=at(10, 10), path=THEIRS))]
    assert found(first_path.DETECTION, calls) == []


def granted(policy: str, day: int, path: str = THEIRS) -> list[Call]:
    """A policy that is written, and a read on the tenth day that it allows."""
    change = Call(
        time=at(day, 8), subject=BOB, path=f"sys/policies/acl/{policy}", operation="update"
    )
    return [change, Call(time=at(10, 10), path=path, policies=("default", "fake"))]


def test_a_policy_just_written_explains_a_first_read() -> None:
    calls = [*office(range(10)), *others()]
    assert found(first_path.DETECTION, [*calls, *granted("fake", 9)]) == []
    assert found(first_path.DETECTION, [*calls, *granted("another", 9)])
    assert found(first_path.DETECTION, [*calls, *granted("fake", 2)])
    assert found(first_path.DETECTION, [*calls, *granted("fake", 11)])


def test_what_many_subjects_read_is_nobodys_own() -> None:
    calls = [*office(range(10)), Call(time=at(10, 10), path=THEIRS)]
    readers = [Call(time=at(2, 9, n), path=THEIRS, subject=f"fake/{n}") for n in range(20)]
    assert found(first_path.DETECTION, [*calls, *readers[:19]])
    assert found(first_path.DETECTION, [*calls, *readers]) == []


def test_a_refused_change_of_a_policy_explains_nothing() -> None:
    change, read = granted("fake", 9)
    calls = [*office(range(10)), *others(), denied(change), read]
    assert found(first_path.DETECTION, calls)


def test_paths_are_not_judged_in_the_first_week_nor_before_two_hundred_calls() -> None:
    calls = [*office(range(5)), *others(), Call(time=at(6, 10), path=THEIRS)]
    assert found(first_path.DETECTION, calls) == []
    seldom = [Call(time=at(day, 9)) for day in range(15)]
    calls = [*seldom, *others(), Call(time=at(15, 10), path=THEIRS)]
    assert found(first_path.DETECTION, calls) == []


def test_who_often_meets_new_paths_is_not_judged() -> None:
    news = [Call(time=at(8 + n, 10), path=f"{THEIRS}/{n}") for n in range(4)]
    last = Call(time=at(14, 10), path=f"{THEIRS}/last")
    findings = found(first_path.DETECTION, [*office(range(15)), *news, last])
    assert [f.path for f in findings] == [f"{THEIRS}/{n}" for n in range(4)]
    assert [f.score for f in findings] == [1.0, 0.875, 0.75, 0.625]


def reads(paths: int, day: int = 21, pace: float = 5, subject: str = ALICE) -> list[Call]:
    return [
        Call(time=at(day, 10, 2 + n * pace), path=f"{OWN}/{n}", subject=subject)
        for n in range(paths)
    ]


def test_many_paths_within_minutes_are_a_sweep() -> None:
    [finding] = found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(40)])
    assert finding.start == at(21, 10, 2)
    assert finding.detected == at(21, 10, 2 + 9 * 5)
    assert "40 different paths" in finding.reason or "41 different paths" in finding.reason
    assert len(finding.evidence) == 10


def test_many_reads_of_few_paths_are_no_sweep() -> None:
    again = [Call(time=at(21, 10, n), path=f"{OWN}/{n % 5}") for n in range(300)]
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *again]) == []


def test_fewer_or_slower_reads_are_no_sweep() -> None:
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(9)]) == []
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(40, pace=60)]) == []


def test_few_paths_are_a_sweep_when_none_was_read_before() -> None:
    [finding] = found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(10)])
    assert finding.detected == at(21, 10, 2 + 9 * 5)
    earlier = [replace(c, time=at(n, 11, 7)) for n, c in enumerate(reads(10))]
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *earlier, *reads(18)]) == []


def test_new_secrets_are_no_sweep() -> None:
    written = [replace(c, time=at(20), subject=BOB, operation="update") for c in reads(18)]
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *written, *reads(18)]) == []


def test_who_met_many_new_paths_before_is_held_to_more() -> None:
    before = [replace(c, path=f"{THEIRS}/{n}") for n, c in enumerate(reads(5, day=18))]
    calls = [*office(THREE_WEEKS), *before]
    assert found(sweep.DETECTION, [*calls, *reads(14)]) == []
    assert found(sweep.DETECTION, [*calls, *reads(15)])


def test_who_reads_many_paths_every_hour_does_not_sweep() -> None:
    wide = [replace(c, subject=BOB) for day in range(5) for c in reads(40, day=day)]
    hours = [replace(c, time=c.time.replace(hour=h)) for c in wide for h in range(10, 16)]
    assert found(sweep.DETECTION, [*hours, *reads(100, day=6, pace=2, subject=BOB)]) == []
    assert found(sweep.DETECTION, [*hours, *reads(150, day=6, pace=2, subject=BOB)])


def test_a_sweep_by_nobody_known_before_needs_more() -> None:
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(59, subject=BOB, pace=1)]) == []
    assert found(sweep.DETECTION, [*office(THREE_WEEKS), *reads(60, subject=BOB, pace=1)])


def test_nobody_is_known_on_the_first_day_of_a_log() -> None:
    assert found(sweep.DETECTION, [Call(time=at(0), address=HOME), *reads(100, day=1)]) == []
