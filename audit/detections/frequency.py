"""Frequency: a subject calls far more often in an hour than in its hours before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The calls of each hour that is over its subject's limit."""
    limits = facts.thresholds
    visits = facts.visits
    hours = visits.group_by(["subject", "hour"]).aggregate(calls=visits.calls.sum())
    hours = hours.mutate(size=(row.calls + 1).ln())
    before = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(
        active=row.hour.count().over(before),
        mean=row["size"].mean().over(before),
        squares=(row["size"] * row["size"]).mean().over(before),
    )
    variance = ibis.greatest(row.squares - row["mean"] * row["mean"], 0.0)
    hours = hours.mutate(deviation=ibis.greatest(variance.sqrt(), limits.frequency_least_deviation))
    expected = (row["mean"] + limits.frequency_deviations * row.deviation).exp() - 1
    hours = hours.mutate(bound=ibis.greatest(expected, float(limits.frequency_least)))
    over = hours.filter(
        (row.active >= limits.frequency_warm_up_hours) & (row.calls >= row.bound)
    ).select("subject", "hour", "calls", "bound", "mean")
    calls = facts.calls.mutate(hour=row.time.truncate("h"))
    calls = calls.inner_join(over, ["subject", "hour"])
    within = ibis.window(group_by=["subject", "hour"], order_by=[row.time, row.file, row.line])
    calls = calls.mutate(nth=ibis.row_number().over(within) + 1)
    return evidence(
        calls,
        calls.subject,
        crossed=calls.nth >= calls.bound,
        measure=calls.calls,
        usual=calls["mean"].exp() - 1,
        score=1 - 0.5 * calls.bound / calls.calls,
    )


def _tell(first: Mapping[str, Any]) -> str:
    return (
        f"{first['subject']} made {first['measure']:.0f} calls within an hour; "
        f"{first['usual']:.0f} is usual for it"
    )


DETECTION = Detection(
    id="frequency",
    severity=Severity.MEDIUM,
    about="a subject calls far more often in an hour than in its hours before",
    warm_up="24 active hours",
    rows=rows,
    tell=_tell,
)
