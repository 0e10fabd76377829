"""The subjects of a replayed audit log: who calls Vault at which hours, for what, and from where.

Owns ordinary behaviour only; what an intruder does is in `audit_attacks`. All names are fake. Half
of the disturbances that make honest work look odd are here too: late evenings, other networks,
other people's secrets newly granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

TEAMS = 20
CANARY = "secret/data/ml/decoy/cloud-administrator"
PODS = "10.42.0.0/16"
AWS_READ = "aws-read"  # goes to the other log
DEPLOY_DAYS, DEPLOY_HOUR = (1, 3), 14  # Tuesdays and Thursdays, UTC


class Rhythm(StrEnum):
    """When a subject works."""

    ALWAYS = "serve"
    OFFICE = "notebook"
    NIGHTLY = "nightly"
    WEEKLY = "weekly"
    NOW_AND_THEN = "train"
    REFRESH = "external-secrets"
    DEPLOY = "deployer"


NUMBERS = {
    Rhythm.ALWAYS: 20,
    Rhythm.OFFICE: 80,
    Rhythm.NIGHTLY: 40,
    Rhythm.WEEKLY: 8,
    Rhythm.NOW_AND_THEN: 40,
    Rhythm.REFRESH: 1,
    Rhythm.DEPLOY: 1,
}


_SHARE = (Rhythm.ALWAYS, Rhythm.NIGHTLY)  # they read what the platform's team shares, too


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One service account. `network` ends with a dot when its last two numbers vary (pods)."""

    number: int
    rhythm: Rhythm
    namespace: str
    account: str
    paths: tuple[str, ...]
    network: str
    hour: int
    length: int
    weekday: int

    @property
    def name(self) -> str:
        """What the audit calls it."""
        return f"{self.namespace}/{self.account}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: `second` since the start of the log; `attack` 0 when nobody means harm."""

    second: float
    kind: str
    subject: Subject | None
    path: str
    address: str
    attack: int = 0


def path_of(team: int, number: int) -> str:
    """A secret of a team."""
    return f"secret/data/ml/team-{team:02d}/{number:02d}"


def policy_of(account: str) -> str:
    """The path of the policy that a service account has."""
    return f"sys/policies/acl/grant-{account}"


def population(random: Random) -> list[Subject]:
    """Everybody, in a fixed order."""
    subjects: list[Subject] = []
    for rhythm, count in NUMBERS.items():
        for number in range(count):
            team = random.randrange(TEAMS)
            secrets = random.sample(range(12), random.randint(3, 8))
            paths = [path_of(team, each) for each in secrets]
            if rhythm is Rhythm.REFRESH:
                paths = [path_of(t, n) for t in range(TEAMS) for n in range(7)]
            office = rhythm is Rhythm.OFFICE
            subjects.append(
                Subject(
                    number=len(subjects),
                    rhythm=rhythm,
                    namespace=f"team-{team:02d}",
                    account=f"{rhythm}-{number:02d}",
                    paths=tuple(paths),
                    network=f"10.8.{team}.{random.randint(2, 250)}" if office else "10.42.",
                    hour=random.randint(7, 10) if office else random.randrange(24),
                    length=random.randint(8, 9),
                    weekday=random.randrange(7),
                )
            )
    return subjects


def address(subject: Subject, random: Random) -> str:
    """Where it calls from this time: pods have a new address each."""
    if subject.network.endswith("."):
        return f"{subject.network}{random.randrange(40)}.{random.randint(2, 250)}"
    return subject.network


def hour_of(subject: Subject, hour: int, random: Random) -> Iterator[Call]:
    """What `subject` does in the hour with this number since the start, which is a Monday."""
    day, of_day = divmod(hour, 24)
    calls = _how_many(subject, day, of_day, random)
    if not calls:
        return
    here = address(subject, random)
    base = hour * 3600
    if subject.rhythm is Rhythm.REFRESH:
        for number, path in enumerate(subject.paths):
            yield _call(base + 60 + number * 0.4, "kv-read", subject, path, here)
        return
    if subject.rhythm is Rhythm.DEPLOY:
        yield from _deployment(subject, base, here, random)
        return
    start = base + random.random() * 900
    yield _call(start, "login", subject, "auth/kubernetes/login", here)
    for _ in range(calls):
        second = start + random.random() * (base + 3599 - start)
        yield _call(second, *_ordinary(subject, random), here)


def _how_many(subject: Subject, day: int, of_day: int, random: Random) -> int:
    weekday = day % 7
    match subject.rhythm:
        case Rhythm.ALWAYS:
            return random.randint(6, 14)
        case Rhythm.OFFICE:
            late = random.random() < 0.03
            at_work = subject.hour <= of_day < subject.hour + subject.length + 2 * late
            return random.randint(2, 9) if weekday < 5 and at_work and random.random() < 0.8 else 0
        case Rhythm.NIGHTLY:
            return random.randint(8, 14) if of_day == subject.hour else 0
        case Rhythm.WEEKLY:
            return 40 if (weekday, of_day) == (subject.weekday, subject.hour) else 0
        case Rhythm.NOW_AND_THEN:
            return random.randint(5, 20) if random.random() < 0.02 else 0
        case Rhythm.REFRESH:
            return 1
        case Rhythm.DEPLOY:
            return int(weekday in DEPLOY_DAYS and of_day == DEPLOY_HOUR)


def _ordinary(subject: Subject, random: Random) -> tuple[str, Subject, str]:
    draw = random.random()
    if draw < 0.08:
        return "database-creds", subject, f"database/creds/{subject.namespace}"
    if draw < 0.14:
        return "renew", subject, "auth/token/renew-self"
    if draw < 0.20:
        return "lookup", subject, "auth/token/lookup-self"
    if draw < 0.23:
        return "kv-list", subject, f"secret/metadata/ml/{subject.namespace}"
    if draw < 0.26:
        return "encrypt", subject, f"transit/encrypt/{subject.namespace}"
    if draw < 0.27 and subject.rhythm in _SHARE:
        return "kv-read", subject, f"platform/data/shared/{random.randrange(3)}"
    if draw < 0.27 and subject.number % 4 == 0:
        return AWS_READ, subject, f"ml/{subject.namespace}"
    if draw < 0.275:
        return "denied", subject, random.choice(subject.paths)
    return "kv-read", subject, random.choice(subject.paths)


def _deployment(subject: Subject, base: float, here: str, random: Random) -> Iterator[Call]:
    for number in range(random.randint(2, 6)):
        rhythm = random.choice(list(NUMBERS))
        policy = policy_of(f"{rhythm}-{random.randrange(NUMBERS[rhythm]):02d}")
        yield _call(base + 300 + 20 * number, "policy-write", subject, policy, here)


def _call(second: float, kind: str, subject: Subject, path: str, here: str) -> Call:
    return Call(second=second, kind=kind, subject=subject, path=path, address=here)
