"""First-time path: a subject reads something that it never read, though it is no new secret.

Reads that were refused are for `denied_burst`. Paths under sys/ and auth/ are no secrets.
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
_WRITES = ("create", "update", "patch", "CreateSecret", "PutSecretValue")


def rows(facts: Facts) -> Table:
    """The first successful call of each subject on each path that is new to it."""
    limits = facts.thresholds
    since = facts.visits.group_by("subject").aggregate(since=facts.visits["first"].min())
    visits = facts.visits.filter(
        ~facts.visits.denied
        & ~facts.visits.path.startswith("sys/")
        & ~facts.visits.path.startswith("auth/")
    )
    wrote = visits.operation.isin(_WRITES)
    written = visits.filter(wrote).group_by("path").aggregate(written=visits["first"].min())
    reads = visits.filter(~wrote)
    read = reads.group_by("path").aggregate(read=reads["first"].min())
    met = reads.group_by(["subject", "path"]).aggregate(
        time=reads["first"].min(),
        address=reads.address.argmin(reads["first"]),
        file=reads.file.argmin(reads["first"]),
        line=reads.line.argmin(reads["first"]),
    )
    met = met.inner_join(since, "subject").inner_join(read, "path").left_join(written, "path")
    met = met.mutate(second=seconds(row.time), hour=row.time.truncate("h"))
    met = met.inner_join(_calls_before(facts.visits), ["subject", "hour"])
    aged = row.second - seconds(row.since) >= limits.warm_up_days * _DAY
    met = met.mutate(old=aged & (row.before >= limits.path_warm_up_calls))
    recently = ibis.range_window(
        group_by="subject",
        order_by=row.second,
        preceding=limits.path_new_days * _DAY,
        following=0,
    )
    met = met.mutate(earlier=row.old.cast("int64").sum().over(recently) - 1)
    young = (
        row.written.notnull()
        & (row.written <= row.read)
        & (row.second - seconds(row.written) < limits.path_young_days * _DAY)
    ).fill_null(False)
    new = met.filter(row.old & (row.earlier <= limits.path_most_new) & ~young)
    return evidence(
        new,
        new.subject,
        measure=new.earlier + 1,
        usual=new.earlier,
        score=1 - 0.5 * new.earlier / (limits.path_most_new + 1),
    )


def _calls_before(visits: Table) -> Table:
    """Per subject and hour: how many calls it made in the hours before."""
    hours = visits.group_by(["subject", "hour"]).aggregate(calls=visits.calls.sum())
    earlier = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(before=row.calls.sum().over(earlier).fill_null(0))
    return hours.select("subject", "hour", "before")


def _tell(first: Mapping[str, Any]) -> str:
    others = first["count"] - 1
    more = f" and {others} more" if others else ""
    return f"{first['subject']} read {first['path']}{more} for the first time"


DETECTION = Detection(
    id="first-path",
    severity=Severity.MEDIUM,
    about="a subject reads what it never read before, though the secret is not new",
    warm_up="7 days and 100 calls; who met more than 3 new paths in 28 days is not judged",
    rows=rows,
    tell=_tell,
)
