"""The attacks that are planted in a replayed audit log, with labels.

Owns their shape, their rate and their sizes. Sizes are drawn so that some lie below the
thresholds of `audit`: a recall of 1 would only say that the attacks were made for the detections.
Everything is planted after WARM_UP days, when the baselines stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from benchmarks.audit_draws import DAY, STORES, foreign, one, outside, reads, workday, working
from benchmarks.audit_population import (
    AWS_READ,
    CANARY,
    TEAMS,
    Call,
    Rhythm,
    Subject,
    address,
    path_of,
)

WARM_UP = 21  # days
A_WEEK = 4  # attacks of each kind
GAP = "gap"
SPENT_WRAPPING = "spent-wrapping-token"


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
    number = weeks.start * A_WEEK * (len(ATTACKS) + 2)
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
        # Drawn apart: the rest of a seed's log stays as it was before there was this kind.
        apart = Random(week)  # noqa: S311 -- a made log
        for _ in range(A_WEEK):
            number += 1
            calls = tuple(replace(c, attack=number) for c in _spent_wrapping(week, apart))
            yield Attack(
                number=number,
                kind=SPENT_WRAPPING,
                start=calls[0].second,
                end=calls[-1].second,
                calls=calls,
            )
        for _ in range(A_WEEK // 2):
            number += 1
            start = (week * 7 + random.randrange(7)) * DAY + random.random() * DAY * 0.8
            end = start + random.uniform(10, 180) * 60
            yield Attack(number=number, kind=GAP, start=start, end=end, calls=())


def _off_hours(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE)
    at = day + random.uniform(0, 3.5) * 3600
    paths = [random.choice(subject.paths) for _ in range(random.randint(3, 15))]
    yield from reads(subject, at, paths, subject.network, 60)


def _flood(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.ALWAYS, Rhythm.OFFICE)
    at = working(subject, workday(day), random)
    paths = [random.choice(subject.paths) for _ in range(random.randint(40, 600))]
    yield from reads(subject, at, paths, address(subject, random), 1800 / len(paths))


def _new_address(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = working(subject, workday(day), random)
    paths = [random.choice(subject.paths) for _ in range(random.randint(1, 8))]
    yield from reads(subject, at, paths, outside(random), 20)


def _first_path(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = working(subject, workday(day), random)
    paths = [foreign(subject, random) for _ in range(random.randint(1, 4))]
    yield from reads(subject, at, paths, address(subject, random), 30)


def _sweep(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = working(subject, workday(day), random)
    every = [path_of(team, number) for team in range(TEAMS) for number in range(12)]
    paths = random.sample(every, random.randint(15, 120))
    yield from reads(subject, at, paths, address(subject, random), random.uniform(0.5, 8))


def _several_stores(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = working(subject, workday(day), random)
    paths = [
        f"{store}/data/{random.randrange(9)}"
        for store in random.sample(STORES, random.randint(1, len(STORES)))
    ]
    yield from reads(subject, at, paths, address(subject, random), random.uniform(5, 500))


def _several_systems(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    """From somebody's desk: some of its own secrets, then AWS with an identity found there."""
    subject, found = (one(subjects, random, Rhythm.OFFICE) for _ in range(2))
    at, pace = working(subject, workday(day), random), random.uniform(5, 300)
    own = [random.choice(subject.paths) for _ in range(random.randint(1, 3))]
    yield from reads(subject, at, own, subject.network, pace)
    there = [f"ml/{found.namespace}" for _ in range(random.randint(1, 4))]
    at += pace * len(own)
    yield from reads(found, at, there, subject.network, pace, kind=AWS_READ)


def _denied_subject(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS, Rhythm.NIGHTLY)
    at = working(subject, workday(day), random)
    paths = [foreign(subject, random) for _ in range(random.randint(12, 100))]
    here, pace = address(subject, random), random.uniform(1, 20)
    yield from reads(subject, at, paths, here, pace, kind="denied")


def _denied_address(_subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    kind = random.choice(("bad-token", "login-failed"))
    here, pace = outside(random), random.uniform(0.2, 20)
    at = day + random.random() * DAY * 0.9
    for number in range(random.randint(12, 200)):
        login = kind == "login-failed"
        path = "auth/kubernetes/login" if login else path_of(random.randrange(TEAMS), 1)
        second = at + number * pace
        yield Call(second=second, kind=kind, subject=None, path=path, address=here)


def _canary(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    subject = one(subjects, random, Rhythm.OFFICE, Rhythm.NOW_AND_THEN)
    at = day + random.random() * DAY * 0.9
    yield from reads(subject, at, [CANARY], address(subject, random), 1)


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
    deployer = one(subjects, random, Rhythm.DEPLOY)
    here = address(deployer, random)
    yield Call(second=at, kind=kind, subject=deployer, path=path, address=here)


def _audit_off(subjects: list[Subject], day: float, random: Random) -> Iterator[Call]:
    at = day + random.random() * DAY * 0.9
    deployer = one(subjects, random, Rhythm.DEPLOY)
    here = address(deployer, random)
    yield Call(
        second=at, kind="audit-disable", subject=deployer, path="sys/audit/file", address=here
    )


def _spent_wrapping(week: int, random: Random) -> Iterator[Call]:
    """Who was to have the secret comes after the thief, and tries a few times."""
    at = (week * 7 + random.random() * 7) * DAY
    here = f"10.42.{random.randrange(200)}.{random.randrange(1, 255)}"
    for number in range(random.randint(1, 5)):
        second, path = at + 5 * number, "sys/wrapping/unwrap"
        yield Call(second=second, kind="unwrap-again", subject=None, path=path, address=here)


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
