"""Unusual hours: a subject with a rhythm works far from every hour that it is known for.

The week is seen as working days and weekends with 24 hours each, UTC. An hour is near to the known
ones when one of them, of the same kind of day, is less than `hours_away` from it around the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, seconds
from audit.findings import Severity

_DAY = 86400


def rows(facts: Facts) -> Table:
    """The first call in each hour of the week that is new to its subject."""
    limits = facts.thresholds
    hours = _hours(facts.visits)
    slot = ["subject", "weekend", "of_day"]
    hours = hours.mutate(nth=ibis.row_number().over(ibis.window(group_by=slot, order_by=row.hour)))
    before = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(
        active=row.hour.count().over(before),
        slots=(row.nth == 0).cast("int64").sum().over(before),
        since=row.time.min().over(ibis.window(group_by="subject")),
    )
    known = hours.filter(row.nth == 0).select(
        owner=row.subject, day=row.weekend, clock=row.of_day, seen=row.hour
    )
    age = seconds(row.time) - seconds(row.since)
    new = hours.filter(
        (row.nth == 0)
        & (row.active >= limits.hours_least_active)
        & (row.slots <= row.active * limits.hours_most_scattered)
        & (age >= limits.hours_warm_up_days * _DAY)
    )
    around = (new.of_day - known.clock).abs()
    near = [
        new.subject == known.owner,
        new.weekend == known.day,
        known.seen < new.hour,
        ibis.least(around, 24 - around) < limits.hours_away,
    ]
    far = new.anti_join(known, near)
    return evidence(
        far,
        far.subject,
        path=ibis.null("string"),
        measure=far.of_day,
        usual=far.active,
        score=1 - far.slots / far.active,
    )


def _hours(visits: Table) -> Table:
    """Per subject and hour, with the first call in it."""
    hours = visits.group_by(["subject", "hour"]).aggregate(
        time=visits["first"].min(),
        address=visits.address.argmin(visits["first"]),
        file=visits.file.argmin(visits["first"]),
        line=visits.line.argmin(visits["first"]),
    )
    return hours.mutate(
        weekend=(row.hour.day_of_week.index() >= 5), of_day=row.hour.hour().cast("int64")
    )


def _tell(first: Mapping[str, Any]) -> str:
    return (
        f"{first['subject']} worked at {first['start']:%H:%M} UTC on a {first['start']:%A}; none "
        f"of its {first['usual']:.0f} active hours before was near that time on such a day"
    )


DETECTION = Detection(
    id="unusual-hours",
    severity=Severity.MEDIUM,
    about="a subject with a rhythm works far from every hour that it is known for",
    warm_up="14 days and 10 active hours; subjects without a rhythm are not judged",
    rows=rows,
    tell=_tell,
)
