"""Several stores: new ones one after the other, by a subject, from an address, in two systems."""

from __future__ import annotations

from dataclasses import replace

from audit.detections import several_stores
from audit.known import Known
from tests.unit.audit_anomalies.logs import ALICE, AWAY, BOB, HOME, Call, at, denied, found, office

SUBJECT, ADDRESS = several_stores.BY_SUBJECT, several_stores.BY_ADDRESS
LONG = range(15)


def tries(*mounts: str, subject: str = ALICE, pace: float = 60, day: int = 15) -> list[Call]:
    return [
        Call(time=at(day, 10, 5 + n * pace), path=f"{mount}/data/fake", subject=subject)
        for n, mount in enumerate(mounts)
    ]


def test_two_new_stores_within_minutes_are_found_with_the_second() -> None:
    [finding] = found(SUBJECT, [*office(LONG), *tries("one", "two", "three")])
    assert (finding.subject, finding.start) == (ALICE, at(15, 10, 5))
    assert finding.detected == at(15, 10, 65)
    assert "3 secret stores" in finding.reason
    assert len(finding.evidence) == 3
    assert 0 < finding.score < 1


def test_refused_attempts_count() -> None:
    assert found(SUBJECT, [*office(LONG), *map(denied, tries("one", "two"))])


def test_one_new_store_is_a_new_grant() -> None:
    assert found(SUBJECT, [*office(LONG), *tries("one", "secret", "one")]) == []


def test_new_stores_that_come_slowly_are_none() -> None:
    assert found(SUBJECT, [*office(LONG), *tries("one", "two", pace=601)]) == []


def test_stores_that_are_known_and_what_is_no_store_are_none() -> None:
    calls = [*office(LONG), *tries("one", day=7), *tries("two", day=8)]
    again = tries("one", "two", "auth", "sys", "identity", "cubbyhole")
    assert found(SUBJECT, [*calls, *again]) == []


def test_vaults_own_mounts_in_a_namespace_are_no_stores() -> None:
    own = [
        replace(call, mount=f"team/{name}/")
        for call, name in zip(
            tries("team/sys", "team/auth", "team/cubbyhole", "team/identity"),
            ("sys", "auth/fake", "cubbyhole", "identity"),
            strict=True,
        )
    ]
    assert found(SUBJECT, [*office(LONG), *own]) == []


def test_the_first_two_weeks_are_not_judged() -> None:
    assert found(SUBJECT, [*office(range(12)), *tries("one", "two", day=11)]) == []


def test_who_was_never_seen_needs_four() -> None:
    calls = list(office(LONG))
    new = ("one", "two", "three", "four")
    assert found(SUBJECT, [*calls, *tries(*new[:3], subject=BOB)]) == []
    assert found(SUBJECT, [*calls, *tries(*new, subject=BOB)])


def test_several_subjects_of_one_address_are_found_by_it() -> None:
    calls = [*office(LONG), *office(LONG, subject=BOB)]
    one, other = tries("one"), [replace(c, time=at(15, 10, 90)) for c in tries("two", subject=BOB)]
    [finding] = found(ADDRESS, [*calls, *one, *other])
    assert finding.address == HOME
    assert "from 10.0.0.7 came its first calls to 2 secret stores" in finding.reason
    assert found(SUBJECT, [*calls, *one, *other]) == []


def test_addresses_of_a_known_network_are_one() -> None:
    known = Known.model_validate({"networks": ["10.42.0.0/16"]})
    pods = [replace(c, address=f"10.42.{n % 9}.{n % 200}") for n, c in enumerate(office(LONG))]
    one = replace(tries("one")[0], address="10.42.1.2")
    other = replace(tries("two", subject=BOB)[0], time=at(15, 10, 90), address="10.42.7.8")
    assert len(found(ADDRESS, [*pods, one, other], known)) == 1
    assert found(ADDRESS, [*pods, one, other]) == []


def test_what_one_subject_did_is_not_told_twice() -> None:
    assert found(ADDRESS, [*office(LONG), *tries("one", "two", "three")]) == []


def test_another_system_from_the_same_address_is_found() -> None:
    cloud = Call(
        time=at(15, 10, 30),
        subject="arn:aws:iam::111122223333:user/fake",
        path="secretsmanager",
        source="cloudtrail",
        operation="GetSecretValue",
    )
    calls = [*office(LONG), *tries("secret")]
    [finding] = found(ADDRESS, [*calls, cloud])
    assert (finding.detected, finding.address) == (cloud.time, HOME)
    assert found(ADDRESS, [*calls, replace(cloud, address=AWAY)]) == []
    assert found(ADDRESS, [*calls, replace(cloud, path="ec2")]) == []
    usual = [replace(cloud, time=at(day, 10)) for day in range(3)]
    assert found(ADDRESS, [*calls, *usual, cloud]) == []
