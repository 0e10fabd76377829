"""Denied bursts: many refusals within minutes, of one subject or from one address.

A refusal is any call with an error: too little policy, a bad or missing token, a failed login. By
address those count whose subject is nobody, or is another than in the refusal before: one subject's
own burst is not told twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, seconds
from audit.findings import Severity
from audit.thresholds import Thresholds


def by_subject(facts: Facts) -> Table:
    """The refusals of every subject with too many."""
    denied = facts.calls.filter(facts.calls.error.notnull() & facts.calls.subject.notnull())
    return _burst(denied.mutate(key=row.subject), facts.thresholds)


def by_address(facts: Facts) -> Table:
    """The refusals from every address with too many."""
    denied = facts.calls.filter(facts.calls.error.notnull() & facts.calls.address.notnull())
    denied = denied.mutate(key=row.address)
    ordered = ibis.window(group_by="key", order_by=[row.time, row.file, row.line])
    denied = denied.mutate(last=row.subject.fill_null("").lag().over(ordered))
    other = row.subject.isnull() | (row.subject != row.last.fill_null(""))
    return _burst(denied.filter(other), facts.thresholds)


def _burst(denied: Table, limits: Thresholds) -> Table:
    reach = limits.denied_seconds
    denied = denied.mutate(second=seconds(row.time))
    back = ibis.range_window(group_by="key", order_by=row.second, preceding=reach, following=0)
    ahead = ibis.range_window(group_by="key", order_by=row.second, preceding=0, following=reach)
    denied = denied.mutate(within=row.line.count().over(back))
    denied = denied.mutate(crossed=row.within >= limits.denied_calls)
    denied = denied.mutate(part=row.crossed.cast("int64").max().over(ahead))
    burst = denied.filter(row.part == 1)
    return evidence(
        burst,
        burst.key,
        crossed=burst.crossed,
        measure=burst.within,
        usual=limits.denied_calls,
        score=ibis.ifelse(burst.crossed, 1 - 0.5 * limits.denied_calls / burst.within, 0.0),
    )


def _tell_subject(first: Mapping[str, Any]) -> str:
    return (
        f"{first['subject']} was refused {first['count']} times, {first['measure']:.0f} of them "
        f"within a quarter of an hour"
    )


def _tell_address(first: Mapping[str, Any]) -> str:
    return (
        f"from {first['address']} came {first['count']} calls with bad tokens, failed logins or "
        f"changing subjects, {first['measure']:.0f} of them within a quarter of an hour"
    )


BY_SUBJECT = Detection(
    id="denied-burst-subject",
    severity=Severity.HIGH,
    about="one subject is refused many times within minutes",
    warm_up="none",
    rows=by_subject,
    tell=_tell_subject,
)
BY_ADDRESS = Detection(
    id="denied-burst-address",
    severity=Severity.HIGH,
    about="many bad tokens, failed logins or refused subjects from one address within minutes",
    warm_up="none",
    rows=by_address,
    tell=_tell_address,
)
