"""Honest work in a replayed audit log that looks odd, without labels: what must not be found.

Owns its shape and its rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.audit_draws import DAY, STORES, foreign, one, reads, working
from benchmarks.audit_population import (
    AWS_READ,
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


def oddities(subjects: list[Subject], weeks: range, random: Random) -> Iterator[Call]:
    """Honest work that looks odd: another network, a late evening, a newly granted secret."""
    for week in weeks:
        for _ in range(2):
            office = one(subjects, random, Rhythm.OFFICE)
            at = working(office, (week * 7 + random.randrange(5)) * DAY, random)
            elsewhere = f"10.9.{random.randrange(200)}.7"
            yield from reads(office, at, office.paths[:3], elsewhere, 40)
            late = one(subjects, random, Rhythm.OFFICE)
            at = (week * 7 + random.randrange(5)) * DAY + random.uniform(20, 23) * 3600
            yield from reads(late, at, late.paths[:3], late.network, 60)
            yield from _granted(subjects, week, random)
            busy = one(subjects, random, Rhythm.ALWAYS)
            at = (week * 7 + random.randrange(7)) * DAY + random.randrange(20) * 3600
            paths = [random.choice(busy.paths) for _ in range(35)]
            yield from reads(busy, at, paths, address(busy, random), 60)
        yield from _other_stores(subjects, week, random)
        deployer = one(subjects, random, Rhythm.DEPLOY)
        for team in random.sample(range(TEAMS), 4):  # new secrets, written and read the same day
            number = 20 + week
            reader = next((s for s in subjects if s.namespace == f"team-{team:02d}"), deployer)
            at = (week * 7 + DEPLOY_DAYS[0]) * DAY + DEPLOY_HOUR * 3600 + 600
            new = path_of(team, number)
            yield Call(second=at, kind="kv-write", subject=deployer, path=new, address="10.42.1.9")
            yield from reads(reader, at + 1800, [new], address(reader, random), 5)


def _granted(subjects: list[Subject], week: int, random: Random) -> Iterator[Call]:
    """Another team's secret newly granted: a deployment writes the policy, a day or two before."""
    granted = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS)
    deployer = one(subjects, random, Rhythm.DEPLOY)
    day = week * 7 + DEPLOY_DAYS[0]
    yield Call(
        second=day * DAY + DEPLOY_HOUR * 3600 + 900,
        kind="policy-write",
        subject=deployer,
        path=policy_of(granted.account),
        address=address(deployer, random),
    )
    at = working(granted, (day + random.randint(1, 2)) * DAY, random)
    yield from reads(granted, at, [foreign(granted, random)], address(granted, random), 5)


def _other_stores(subjects: list[Subject], week: int, random: Random) -> Iterator[Call]:
    """Two who use a new mount, one who uses two, and one who begins to read secrets of AWS."""
    for most in (1, 1, 2):
        subject = one(subjects, random, Rhythm.OFFICE, Rhythm.ALWAYS)
        at = working(subject, (week * 7 + random.randrange(5)) * DAY, random)
        paths = [f"{store}/data/shared" for store in random.sample(STORES, most)]
        yield from reads(subject, at, paths, address(subject, random), random.uniform(5, 3000))
    beginner = one(subjects, random, Rhythm.OFFICE)
    at = working(beginner, (week * 7 + random.randrange(5)) * DAY, random)
    path = f"ml/{beginner.namespace}"
    yield from reads(beginner, at, [path], beginner.network, 5, kind=AWS_READ)
