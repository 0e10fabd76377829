"""What attacks and honest oddities of a replayed audit log are drawn from: who, when, where, what.

Owns the draws. Seconds count from the start of the log; days begin at multiples of DAY.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from benchmarks.audit_population import TEAMS, Call, Rhythm, Subject, path_of

DAY = 86400.0
STORES = ("billing", "legacy", "partners", "platform", "research")  # mounts of other teams


def one(subjects: list[Subject], random: Random, *rhythms: Rhythm) -> Subject:
    """Any subject of one of these rhythms."""
    return random.choice([subject for subject in subjects if subject.rhythm in rhythms])


def workday(day: float) -> float:
    """That day, or the Friday before when it is at a weekend."""
    weekday = int(day / DAY) % 7
    return day - max(0, weekday - 4) * DAY


def working(subject: Subject, day: float, random: Random) -> float:
    """A second at which the subject usually works."""
    if subject.rhythm is Rhythm.ALWAYS:
        return day + random.randrange(22) * 3600 + 120
    if subject.rhythm is Rhythm.NIGHTLY:
        return day + subject.hour * 3600 + 120
    return day + (subject.hour + random.randrange(1, subject.length - 1)) * 3600 + 120


def outside(random: Random) -> str:
    """An address of the ranges kept for documentation."""
    net = random.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{net}.{random.randint(2, 250)}"


def foreign(subject: Subject, random: Random) -> str:
    """A secret of another team."""
    own = int(subject.namespace[-2:])
    return path_of((own + random.randrange(1, TEAMS)) % TEAMS, random.randrange(12))


def reads(
    subject: Subject,
    at: float,
    paths: list[str] | tuple[str, ...],
    here: str,
    pace: float,
    kind: str = "kv-read",
) -> Iterator[Call]:
    """One call for each path from the address `here`, `pace` seconds apart."""
    for number, path in enumerate(paths):
        second = at + number * pace
        yield Call(second=second, kind=kind, subject=subject, path=path, address=here)
