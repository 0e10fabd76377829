"""Holes in the log: calls of which a half is missing, and times in which a device wrote nothing.

Owns what is a hole and what is known to be none: sealing is never answered, a device's first entry
is a probe, the answer to a device's removal is not written by it, and a wrapping token that is bad
or spent is refused in the request's own entry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import ibis
from ibis import Table, _

from audit.schema import Phase, Source

# Vault ends a request after this time by default, so that its answer may come so late.
LONGEST_CALL = timedelta(seconds=90)
# A silence is a gap when it is so many times longer than usual.
TIMES_LONGER = 10
_ENDS_SERVER = r"(^|/)sys/(seal|unseal|step-down)$"
_KNOWN_HALVES = rf"{_ENDS_SERVER}|(^|/)sys/audit/[^/]+$"
_UNWRAP = r"(^|/)sys/wrapping/(unwrap|lookup|rewrap)$"


def whole(event: Mapping[str, Any]) -> bool:
    """Whether an event tells the outcome of its call: no other half comes after it."""
    return (
        event["phase"] == Phase.RESPONSE
        or re.search(_ENDS_SERVER, event["path"] or "") is not None
        or (event["error"] is not None and re.search(_UNWRAP, event["path"] or "") is not None)
    )


def halves(events: Table) -> Table:
    """Calls of Vault's without a response (or a request), apart from those that never have one.

    The first and last moments of what was read are left out: their other half may lie outside.
    """
    refused = _.path.re_search(_UNWRAP) & _.error.notnull()
    vault = events.filter(_.source == Source.VAULT, ~_.path.re_search(_KNOWN_HALVES), ~refused)
    span = vault.agg(first=_.time.min(), last=_.time.max())
    margin = ibis.interval(seconds=int(LONGEST_CALL.total_seconds()))
    return (
        vault.group_by("request_id")
        .agg(
            phases=_.phase.nunique(),
            phase=_.phase.min(),
            time=_.time.min(),
            subject=_.subject.max(),
            operation=_.operation.max(),
            path=_.path.max(),
            file=_.file.max(),
            line=_.line.max(),
        )
        .filter(_.phases == 1)
        .cross_join(span)
        .filter(_.time > _.first + margin, _.time < _.last - margin)
        .select(
            "time",
            missing=ibis.ifelse(
                _.phase == Phase.REQUEST, Phase.RESPONSE.value, Phase.REQUEST.value
            ),
            subject=_.subject,
            operation=_.operation,
            path=_.path,
            file=_.file,
            line=_.line,
        )
        .order_by("time", "file", "line")
    )


def silences(activity: Table, *, times: int = TIMES_LONGER) -> Table:
    """Times in which a device wrote nothing, `times` longer than its median interval.

    Intervals are whole minutes between minutes with entries. `ongoing`: the device wrote nothing
    since, while others did.
    """
    minutes = activity.group_by("device", "minute").agg(entries=_.entries.sum())
    newest = minutes.agg(newest=_.minute.max())
    ends = (
        minutes.group_by("device")
        .agg(minute=_.minute.max())
        .cross_join(newest)
        .filter(_.minute < _.newest)
        .select("device", since=_.minute, until=_.newest, ongoing=ibis.literal(True))
    )
    window = ibis.window(group_by="device", order_by="minute")
    inside = (
        minutes.mutate(since=_.minute.lag().over(window))
        .filter(_.since.notnull())
        .select("device", "since", until=_.minute, ongoing=ibis.literal(False))
    )
    usual = inside.mutate(length=_minutes(inside)).group_by("device").agg(usual=_.length.median())
    both = inside.union(ends)
    return (
        both.mutate(minutes=_minutes(both))
        .left_join(usual, "device")
        .filter(_.minutes > times * _.usual.fill_null(1.0))
        .select("device", "since", "until", "minutes", "ongoing")
        .order_by("since", "device")
    )


def _minutes(spans: Table) -> ibis.Column:
    return ((spans.until.epoch_seconds() - spans.since.epoch_seconds()) / 60).cast("int64")
