"""The two kinds of database role: logins made on request, and existing users rotated in place.

Owns their inputs and limits; database.py deploys them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.vault import inputs, postgresql
from components.vault.inputs import DAY, HOUR, refuse


@dataclass(frozen=True, kw_only=True)
class DynamicRole:
    """A login made for each request and dropped after `ttl` (renewable up to `max_ttl`) seconds."""

    name: str
    privileges: Sequence[postgresql.Privilege] = postgresql.READ
    schema: str = "public"
    ttl: int = HOUR
    max_ttl: int = DAY

    def __post_init__(self) -> None:
        inputs.lifetime(f"role {self.name} ttl, max_ttl", self.ttl, self.max_ttl, limit=DAY)
        postgresql.creation(self.privileges, self.schema)


@dataclass(frozen=True, kw_only=True)
class RotationPeriod:
    """Rotate every so many `seconds`."""

    seconds: int

    def __post_init__(self) -> None:
        if not HOUR <= self.seconds <= 90 * DAY:
            raise refuse(
                "rotation period",
                self.seconds,
                "is not between an hour and 90 days; clients could not follow, or need not",
                "Use 86400 for once a day",
            )


@dataclass(frozen=True, kw_only=True)
class RotationSchedule:
    """Rotate at a cron expression's times (UTC), within `window` seconds of each, or not then."""

    cron: str
    window: int = HOUR

    def __post_init__(self) -> None:
        if len(self.cron.split()) != 5:
            raise refuse(
                "rotation schedule",
                self.cron,
                "is no cron expression; Vault would refuse the role",
                'Write five fields, for example "0 3 * * SUN"',
            )
        if self.window < HOUR:
            raise refuse(
                "rotation window", self.window, "is less than Vault's least", "Use 3600 or more"
            )


@dataclass(frozen=True, kw_only=True)
class StaticRole:
    """One existing user of the database, whose password Vault changes; the first time at once."""

    name: str
    username: str
    rotation: RotationPeriod | RotationSchedule
