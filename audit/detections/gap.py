"""Gap: an audit device is silent for a time that is rare for it, and writes again later.

A silence is rare when those about as long (half to twice) filled few of the days before: a device
that rests at weekends does so on two days of seven.

Found when the device writes again; a device that is silent to the end of the log cannot be told
from a log that was copied then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, seconds
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The first minute after each silence."""
    limits = facts.thresholds
    silences = _silences(facts.activity, limits.gap_least / 2)
    long = silences.filter(
        (row.silence >= limits.gap_least) & (row.days >= limits.gap_warm_up_days)
    )
    others = silences.select(where=row.device, when=row.minute, lasted=row.silence)
    alike = long.left_join(
        others,
        [
            long.device == others["where"],
            others.when < long.minute,
            others.lasted.between(long.silence / 2, long.silence * 2),
        ],
    )
    counted = alike.group_by(["device", "minute", "silence", "days"]).aggregate(
        alike=row.when.count(), quiet_days=(row.lasted / 86400).ceil().sum().fill_null(0)
    )
    rare = counted.filter(row.quiet_days <= row.days * limits.gap_most_of_days).mutate(
        time=row.minute,
        file=row.device,
        line=ibis.literal(0, type="int64"),
        subject=ibis.null("string"),
        address=ibis.null("string"),
        path=ibis.null("string"),
    )
    return evidence(
        rare,
        rare.device,
        measure=rare.silence,
        usual=rare.alike,
        score=1 - 0.5 * limits.gap_least / rare.silence,
    )


def _silences(activity: Table, least: float) -> Table:
    """Per device: seconds of each silence, the minute that ended it, and days of log before."""
    activity = activity.group_by(["device", "minute"]).aggregate(entries=row.entries.sum())
    ordered = ibis.window(group_by="device", order_by=row.minute)
    activity = activity.mutate(
        since=row.minute.min().over(ibis.window(group_by="device")),
        last=row.minute.lag().over(ordered),
    )
    return activity.mutate(
        silence=seconds(row.minute) - seconds(row.last) - 60,
        days=(seconds(row.minute) - seconds(row.since)) / 86400,
    ).filter(row.silence >= least)


def _tell(first: Mapping[str, Any]) -> str:
    return (
        f"{first['key']} was silent for {first['measure'] / 60:.0f} minutes before "
        f"{first['time']:%Y-%m-%d %H:%M}; it was so for "
        f"about as long {first['usual']:.0f} times before"
    )


DETECTION = Detection(
    id="gap",
    severity=Severity.HIGH,
    about="an audit device is silent for a time that is rare for it",
    warm_up="14 days of the device",
    rows=rows,
    tell=_tell,
)
