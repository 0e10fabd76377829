"""Sweep: a subject reads many different paths within minutes, more than its past explains.

Either more than its widest hour explains, or fewer of which it never read any: three times what it
met in its richest hour after its first days.

Paths are counted while no older than the window since their last read, which never counts too many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, of_vault, seconds
from audit.detections.new_paths import new_paths
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The calls of every window with too many different paths."""
    limits = facts.thresholds
    calls = facts.calls.filter(
        facts.calls.subject.notnull() & facts.calls.error.isnull() & ~of_vault(facts.calls, "auth/")
    )
    calls = calls.mutate(second=seconds(row.time), hour=row.time.truncate("h"))
    same = ibis.window(group_by=["subject", "path"], order_by=[row.time, row.file, row.line])
    calls = calls.mutate(pause=row.second - row.second.lag().over(same))
    calls = calls.filter(row.pause.isnull() | (row.pause > limits.sweep_seconds))
    back = ibis.range_window(
        group_by="subject", order_by=row.second, preceding=limits.sweep_seconds, following=0
    )
    ahead = ibis.range_window(
        group_by="subject", order_by=row.second, preceding=0, following=limits.sweep_seconds
    )
    calls = calls.mutate(paths=row.line.count().over(back))
    calls = calls.left_join(_usual(facts), ["subject", "hour"])
    known = row.active.fill_null(0) >= limits.frequency_warm_up_hours
    young = row.age.fill_null(0) < limits.warm_up_days * 86400
    calls = calls.filter(known | ~young)
    own = ibis.greatest(limits.sweep_paths, limits.sweep_times_usual * row.widest.fill_null(0))
    calls = calls.mutate(
        bound=ibis.ifelse(known, own, ibis.greatest(own, limits.sweep_paths_unknown))
    )
    news = _news(facts)
    first = [calls.subject == news.who, calls.path == news.what, calls.time == news.met_at]
    calls = calls.left_join(news, first)
    calls = calls.mutate(
        met=row.richest.notnull().cast("int64").sum().over(back),
        new_bound=ibis.greatest(
            limits.sweep_new_paths, limits.sweep_times_usual * row.richest.max().over(back)
        ),
    )
    many_new = (row.met >= row.new_bound).fill_null(False)
    calls = calls.mutate(
        crossed=(row.paths >= row.bound) | many_new,
        excess=ibis.greatest(row.paths / row.bound, (row.met / row.new_bound).fill_null(0.0)),
    )
    calls = calls.mutate(part=row.crossed.cast("int64").max().over(ahead))
    part = calls.filter(row.part == 1)
    return evidence(
        part,
        part.subject,
        crossed=part.crossed,
        measure=part.paths,
        usual=part.widest.fill_null(0),
        score=ibis.ifelse(part.crossed, 1 - 0.5 / part.excess, 0.0),
    )


def _usual(facts: Facts) -> Table:
    """Per subject and hour: the widest hour before, the number of hours, the log's age."""
    visits = facts.visits
    hours = visits.group_by(["subject", "hour"]).aggregate(paths=visits.path.nunique())
    before = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(
        widest=row.paths.max().over(before),
        active=row.hour.count().over(before),
        age=seconds(row.hour) - seconds(row.hour.min().over(ibis.window())),
    )
    return hours.select("subject", "hour", "widest", "active", "age")


def _news(facts: Facts) -> Table:
    """What was new to a subject, with the most that was so in any hour before."""
    met = new_paths(facts)
    hours = met.group_by(["subject", "hour"]).aggregate(paths=met.path.nunique())
    before = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(richest=row.paths.max().over(before).fill_null(0))
    both = met.inner_join(hours.select("subject", "hour", "richest"), ["subject", "hour"])
    return both.select(who=both.subject, what=both.path, met_at=both.time, richest=both.richest)


def _tell(first: Mapping[str, Any]) -> str:
    return (
        f"{first['subject']} read {first['measure']:.0f} different paths within six minutes, more "
        f"than its widest hour ({first['usual']:.0f}) or the paths that it knows explain"
    )


DETECTION = Detection(
    id="sweep",
    severity=Severity.HIGH,
    about="a subject reads many different paths within minutes",
    warm_up="24 active hours; a subject without them is held to a higher limit",
    rows=rows,
    tell=_tell,
)
