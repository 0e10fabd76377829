"""Several stores: new ones one after the other, by a subject, from a network, in two systems."""

from __future__ import annotations

from dataclasses import replace

from audit.detections import several_stores
from tests.unit.audit_anomalies.logs import ALICE, AWAY, BOB, HOME, Call, at, denied, found, office

SUBJECT, ADDRESS = several_stores.BY_SUBJECT, several_stores.BY_ADDRESS
TEN_DAYS = range(10)


def tries(*mounts: str, subject: str = ALICE, pace: float = 60, day: int = 10) -> list[Call]:
    return [
        Call(time=at(day, 10, 5 + n * pace), path=f"{mount}/data/fake", subject=subject)
        for n, mount in enumerate(mounts)
    ]


def test_two_new_stores_within_minutes_are_found_with_the_second() -> None:
    [finding] = found(SUBJECT, [*office(TEN_DAYS), *tries("one", "two", "three")])
    assert (finding.subject, finding.start) == (ALICE, at(10, 10, 5))
    assert finding.detected == at(10, 10, 65)
    assert "3 secret stores" in finding.reason
    assert len(finding.evidence) == 3
    assert 0 < finding.score < 1


def test_refused_attempts_count() -> None:
    assert found(SUBJECT, [*office(TEN_DAYS), *map(denied, tries("one", "two"))])


def test_one_new_store_is_a_new_grant() -> None:
    assert found(SUBJECT, [*office(TEN_DAYS), *tries("one", "secret", "one")]) == []


def test_new_stores_that_come_slowly_are_none() -> None:
    assert found(SUBJECT, [*office(TEN_DAYS), *tries("one", "two", pace=601)]) == []


def test_stores_that_are_known_and_what_is_no_store_are_none() -> None:
    calls = [*office(TEN_DAYS), *tries("one", day=7), *tries("two", day=8)]
    again = tries("one", "two", "auth", "sys", "identity", "cubbyhole")
    assert found(SUBJECT, [*calls, *again]) == []


def test_the_first_week_is_not_judged() -> None:
    assert found(SUBJECT, [*office(range(5)), *tries("one", "two", day=6)]) == []


def test_who_was_never_seen_needs_four() -> None:
    calls = list(office(TEN_DAYS))
    new = ("one", "two", "three", "four")
    assert found(SUBJECT, [*calls, *tries(*new[:3], subject=BOB)]) == []
    assert found(SUBJECT, [*calls, *tries(*new, subject=BOB)])


def test_several_subjects_of_one_network_are_found_by_it() -> None:
    calls = [*office(TEN_DAYS), *office(TEN_DAYS, subject=BOB)]
    one, other = tries("one"), [replace(c, time=at(10, 10, 90)) for c in tries("two", subject=BOB)]
    [finding] = found(ADDRESS, [*calls, *one, *other])
    assert finding.address == HOME
    assert "the network of 10.0.0.7" in finding.reason
    assert found(SUBJECT, [*calls, *one, *other]) == []


def test_what_one_subject_did_is_not_told_twice() -> None:
    assert found(ADDRESS, [*office(TEN_DAYS), *tries("one", "two", "three")]) == []


def test_another_system_from_the_same_network_is_found() -> None:
    cloud = Call(
        time=at(10, 10, 30),
        subject="arn:aws:iam::111122223333:user/fake",
        path="secretsmanager",
        source="cloudtrail",
        operation="GetSecretValue",
    )
    calls = [*office(TEN_DAYS), *tries("secret")]
    [finding] = found(ADDRESS, [*calls, cloud])
    assert (finding.detected, finding.address) == (cloud.time, HOME)
    assert found(ADDRESS, [*calls, replace(cloud, address=AWAY)]) == []
    assert found(ADDRESS, [*calls, replace(cloud, path="ec2")]) == []
    usual = [replace(cloud, time=at(day, 10)) for day in range(3)]
    assert found(ADDRESS, [*calls, *usual, cloud]) == []
