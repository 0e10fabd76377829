"""What is planted in a replayed audit log: attacks with labels, and honest oddities without.

Owns their shape, their rate and their sizes. Sizes are drawn so that some lie below the
thresholds of `audit`: a recall of 1 would only say that the attacks were made for the detections.
Everything is planted after WARM_UP days, when the baselines stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from benchmarks.audit_population import (
    AWS_READ,
    CANARY,
    DEPLOY_DAYS,
    DEPLOY_HOUR,
    TEAMS,
    Call,
    Rhythm,
    Subject,
    address,
    path_of,
    policy_of,
)

WARM_UP = 21  # days
A_WEEK = 4  # attacks of each kind
DAY = 86400.0
GAP = "gap"
STORES = ("billing", "legacy", "partners", "platform", "research")  # mounts of other teams


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One planted attack; `kind` is the detection that should find it. Seconds since the start."""

    number: int
    kind: str
    start: float
    end: float
    calls: tuple[Call, ...]


Act = Callable[[list[Subject], float, Random], Iterator[Call]]


def plan(subjects: list[Subject], weeks: range, random: Random) -> Iterator[Attack]:
    """The attacks of these weeks (0 is the first), in no order of time."""
    number = weeks.start * A_WEEK * (len(ATTACKS) + 1)
    for week in weeks:
        for kind, act in ATTACKS.items():
            for _ in range(A_WEEK):
                number += 1
                day = week * 7 + random.randrange(7)
                calls = tuple(
                    replace(call, attack=number) for call in act(subjects, day * DAY, random)
                )
                times = [call.second for call in calls]
                yield Attack(
                    number=number, kind=kind, start=min(times), end=max(times), calls=calls
                )
        for _ in range(A_WEEK // 2):
            number += 1
            start = (week * 7 + random.randrange(7)) * DAY + random.random() * DAY * 0.8
            end = start + random.uniform(10, 180) * 60
            yield Attack(number=number, kind=GAP, start=start, end=end, calls=())


def oddities(subjects: list[Subject], weeks: range, random: Random) -> Iterator[Call]:
    """Honest work that looks odd: another network, a late evening, a newly granted secret."""
    for week in weeks:
        for _ in range(2):
            office = _one(subjects, random, Rhythm.OFFICE)
            at = _working(office, (week * 7 + random.randrange(5)) * DAY, random)
            elsewhere = f"10.9.{random.randrange(200)}.7"
            yield from _reads(office, at, office.paths[:3], elsewhere, 40)
            late = _one(subjects, random, Rhythm.OFFICE)
            at = (week * 7 + random.randrange(5)) * DAY + random.uniform(20, 23) * 3600
            yield from _reads(late, at, late.paths[:3], late.network, 60)
            yield from _granted(subjects, week, random)
            busy = _one(subjects, random, Rhythm.ALWAYS)
            at = (week * 7 + random.randrange(7)) * DAY + random.randrange(20) * 3600
            paths = [random.choice(busy.paths) for _ in range(35)]
            yield from _reads(busy, at, paths, _home(busy, random), 60)
        yield from _other_stores(subjects, week, random)
        deployer = _one(subjects, random, Rhythm.DEPLOY)
        for team in random.sample(range(TEAMS), 4):  # new secrets, written and read the same day
            number = 20 + week
            reader = next((s for s in subjects if s.namespace == f"team-{team:02d}"), deployer)
            at = (week * 7 + DEPLOY_DAYS[0]) * DAY + DEPLOY_HOUR * 3600 + 600
            new = path_of(team, number)
            yield Call(second=at, kind="kv-write", subject=deployer, path=new, address="10.42.1.9")
            yield from _reads(reader, at + 1800, [new], _home(reader, random), 5)


def _granted(subjects: list[Subject], week: int, random: Random) -> Iterator[Call]:
    """Another team's secret newly granted: a deployment writes the policy, a day or two before."""
    granted = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS)
    deployer = _one(subjects, random, Rhythm.DEPLOY)
    day = week * 7 + DEPLOY_DAYS[0]
    yield Call(
        second=day * DAY + DEPLOY_HOUR * 3600 + 900,
        kind="policy-write",
        subject=deployer,
        path=policy_of(granted.account),
        address=address(deployer, random),
    )
    at = _working(granted, (day + random.randint(1, 2)) * DAY, random)
    yield from _reads(granted, at, [_foreign(granted, random)], _home(granted, random), 5)


def _other_stores(subjects: list[Subject], week: int, random: Random) -> Iterator[Call]:
    """Two who use a new mount, one who uses two, and one who begins to read secrets of AWS."""
    for most in (1, 1, 2):
        subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS)
        at = _working(subject, (week * 7 + random.randrange(5)) * DAY, random)
        paths = [f"{store}/data/shared" for store in random.sample(STORES, most)]
        yield from _reads(subject, at, paths, _home(subject, random), random.uniform(5, 3000))
    beginner = _one(subjects, random, Rhythm.OFFICE)
    at = _working(beginner, (week * 7 + random.randrange(5)) * DAY, random)
    path = f"ml/{beginner.namespace}"
    yield from _reads(beginner, at, [path], beginner.network, 5, kind=AWS_READ)


def _off_hours(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE)
    at = day + random.uniform(0, 3.5) * 3600
    paths = [random.choice(subject.paths) for _ in range(random.randint(3, 15))]
    yield from _reads(subject, at, paths, subject.network, 60)


def _flood(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.ALWAYS, Rhythm.OFFICE)
    at = _working(subject, _workday(day), random)
    paths = [random.choice(subject.paths) for _ in range(random.randint(40, 600))]
    yield from _reads(subject, at, paths, _home(subject, random), 1800 / len(paths))


def _new_address(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = _working(subject, _workday(day), random)
    paths = [random.choice(subject.paths) for _ in range(random.randint(1, 8))]
    yield from _reads(subject, at, paths, _outside(random), 20)


def _first_path(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = _working(subject, _workday(day), random)
    paths = [_foreign(subject, random) for _ in range(random.randint(1, 4))]
    yield from _reads(subject, at, paths, _home(subject, random), 30)


def _sweep(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = _working(subject, _workday(day), random)
    every = [path_of(team, number) for team in range(TEAMS) for number in range(12)]
    paths = random.sample(every, random.randint(15, 120))
    yield from _reads(subject, at, paths, _home(subject, random), random.uniform(0.5, 8))


def _several_stores(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = _working(subject, _workday(day), random)
    paths = [
        f"{store}/data/{random.randrange(9)}"
        for store in random.sample(STORES, random.randint(1, len(STORES)))
    ]
    yield from _reads(subject, at, paths, _home(subject, random), random.uniform(5, 500))


def _several_systems(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    """From somebody's desk: some of its own secrets, then AWS with an identity found there."""
    subject, found = (_one(subjects, random, Rhythm.OFFICE) for _ in range(2))
    at, pace = _working(subject, _workday(day), random), random.uniform(5, 300)
    own = [random.choice(subject.paths) for _ in range(random.randint(1, 3))]
    yield from _reads(subject, at, own, subject.network, pace)
    there = [f"ml/{found.namespace}" for _ in range(random.randint(1, 4))]
    at += pace * len(own)
    yield from _reads(found, at, there, subject.network, pace, kind=AWS_READ)


def _denied_subject(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = _working(subject, _workday(day), random)
    paths = [_foreign(subject, random) for _ in range(random.randint(12, 100))]
    here, pace = _home(subject, random), random.uniform(1, 20)
    yield from _reads(subject, at, paths, here, pace, kind="denied")


def _denied_address(_subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    kind = random.choice(("bad-token", "login-failed"))
    here, pace = _outside(random), random.uniform(0.2, 20)
    at = day + random.random() * DAY * 0.9
    for number in range(random.randint(12, 200)):
        login = kind == "login-failed"
        path = "auth/kubernetes/login" if login else path_of(random.randrange(TEAMS), 1)
        second = at + number * pace
        yield Call(second=second, kind=kind, subject=None, path=path, address=here)


def _canary(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = _one(subjects, random, Rhythm.OFFICE, Rhythm.NOW_AND_THEN)
    at = day + random.random() * DAY * 0.9
    yield from _reads(subject, at, [CANARY], _home(subject, random), 1)


def _root(_subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    at = day + random.random() * DAY * 0.9
    for number in range(random.randint(1, 3)):
        path = path_of(random.randrange(TEAMS), 0)
        second = at + 30 * number
        yield Call(second=second, kind="root-read", subject=None, path=path, address="10.8.0.4")


def _generate_root(_subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    path = "sys/generate-root/attempt"
    at = day + random.random() * DAY * 0.9
    yield Call(second=at, kind="generate-root", subject=None, path=path, address="10.8.0.4")


def _change(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    at = day + random.choice((random.uniform(0, 13), random.uniform(16, 23))) * 3600
    kind, path = random.choice(
        (
            ("policy-write", "sys/policies/acl/wide"),
            ("policy-delete", "sys/policies/acl/team-01"),
            ("auth-enable", "sys/auth/side-door"),
            ("mount", "sys/mounts/side-door"),
        )
    )
    deployer = _one(subjects, random, Rhythm.DEPLOY)
    here = address(deployer, random)
    yield Call(second=at, kind=kind, subject=deployer, path=path, address=here)


def _audit_off(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    at = day + random.random() * DAY * 0.9
    deployer = _one(subjects, random, Rhythm.DEPLOY)
    here = address(deployer, random)
    yield Call(
        second=at, kind="audit-disable", subject=deployer, path="sys/audit/file", address=here
    )


ATTACKS: dict[str, Act] = {
    "unusual-hours": _off_hours,
    "frequency": _flood,
    "new-address": _new_address,
    "first-path": _first_path,
    "sweep": _sweep,
    "several-stores-subject": _several_stores,
    "several-stores-address": _several_systems,
    "denied-burst-subject": _denied_subject,
    "denied-burst-address": _denied_address,
    "canary-read": _canary,
    "root-use": _root,
    "generate-root": _generate_root,
    "control-change": _change,
    "audit-off": _audit_off,
}


def _one(subjects: list[Subject], random: Random, *rhythms: Rhythm) -> Subject:
    return random.choice([subject for subject in subjects if subject.rhythm in rhythms])


def _workday(day: float) -> float:
    weekday = int(day / DAY) % 7
    return day - max(0, weekday - 4) * DAY


def _working(subject: Subject, day: float, random: Random) -> float:
    """A second at which the subject usually works."""
    if subject.rhythm is Rhythm.ALWAYS:
        return day + random.randrange(22) * 3600 + 120
    if subject.rhythm is Rhythm.NIGHTLY:
        return day + subject.hour * 3600 + 120
    return day + (subject.hour + random.randrange(1, subject.length - 1)) * 3600 + 120


def _home(subject: Subject, random: Random) -> str:
    return address(subject, random)


def _outside(random: Random) -> str:
    """An address of the ranges kept for documentation."""
    net = random.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{net}.{random.randint(2, 250)}"


def _foreign(subject: Subject, random: Random) -> str:
    own = int(subject.namespace[-2:])
    return path_of((own + random.randrange(1, TEAMS)) % TEAMS, random.randrange(12))


def _reads(
    subject: Subject,
    at: float,
    paths: list[str] | tuple[str, ...],
    here: str,
    pace: float,
    kind: str = "kv-read",
) -> Iterator[Call]:
    for number, path in enumerate(paths):
        second = at + number * pace
        yield Call(second=second, kind=kind, subject=subject, path=path, address=here)
