"""Several stores: somebody turns to secret stores that are new to it, one after the other.

A store is a mount of Vault, or a service of another source. One new store is a new grant; two
within minutes are a search. A store of a source that was never used counts for two, because
whoever holds a stolen identity tries it elsewhere. By address those count that no subject alone
explains: several subjects, or another source, whose names for subjects differ. Addresses of one of
`known.networks` count as one, since pods have a new one each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, seconds
from audit.detections.new_address import own_network
from audit.findings import Severity

_DAY = 86400


def by_subject(facts: Facts) -> Table:
    """The first calls of each subject on stores that are new to it, where they are many."""
    visits = facts.visits
    return _told(_new_stores(facts, visits.mutate(key=visits.subject)))


def by_address(facts: Facts) -> Table:
    """The first calls from each address on stores that are new to it, where they are many."""
    visits = facts.visits.filter(facts.visits.address.notnull())
    visits = visits.mutate(key=own_network(visits.address, facts.known))
    return _told(_new_stores(facts, visits).filter(row.others | (row.abroad > 0)))


def _new_stores(facts: Facts, visits: Table) -> Table:
    """Per key and store that is new to it: its first call, and what came within minutes before."""
    limits = facts.thresholds
    since = visits.group_by("key").aggregate(since=visits["first"].min())
    met = visits.filter(visits.store.notnull())
    near = met.group_by(["key", "hour"]).aggregate(at_once=met.store.nunique())
    met = met.group_by(["key", "store"]).aggregate(
        time=met["first"].min(),
        subject=met.subject.argmin(met["first"]),
        address=met.address.argmin(met["first"]),
        path=met.path.argmin(met["first"]),
        file=met.file.argmin(met["first"]),
        line=met.line.argmin(met["first"]),
    )
    met = met.mutate(
        source=row.store.split(" ")[0], second=seconds(row.time), hour=row.time.truncate("h")
    )
    met = met.inner_join(since, "key").inner_join(near, ["key", "hour"])
    of_source = ibis.window(group_by=["key", "source"])
    abroad = (row.time == row.time.min().over(of_source)) & (
        row.time > row.time.min().over(ibis.window(group_by="key"))
    )
    warm_up = limits.stores_warm_up_days * _DAY
    met = met.mutate(
        new_source=abroad.cast("int64"),
        known=row.second - seconds(row.since) >= warm_up,
        log_age=row.second - seconds(row.since.min().over(ibis.window())),
    ).filter(row.log_age >= warm_up)
    reach = limits.stores_seconds
    back = ibis.range_window(group_by="key", order_by=row.second, preceding=reach, following=0)
    met = met.mutate(
        stores=row.line.count().over(back),
        abroad=row.new_source.sum().over(back),
        others=row.subject.min().over(back) != row.subject.max().over(back),
        bound=ibis.ifelse(row.known, limits.stores_new, limits.stores_unknown),
    )
    crossed = (row.stores + row.abroad >= row.bound) & (row.at_once > 1)
    met = met.mutate(crossed=crossed)
    ahead = ibis.range_window(group_by="key", order_by=row.second, preceding=0, following=reach)
    return met.mutate(part=row.crossed.cast("int64").max().over(ahead)).filter(row.part == 1)


def _told(part: Table) -> Table:
    weight = part.stores + part.abroad
    return evidence(
        part,
        part.key,
        crossed=part.crossed,
        measure=part.stores,
        usual=part.abroad,
        score=ibis.ifelse(part.crossed, 1 - 0.5 * part.bound / weight, 0.0),
    )


def _tell_subject(first: Mapping[str, Any]) -> str:
    return f"{first['subject']} turned to {_stores(first)} that it never used before"


def _tell_address(first: Mapping[str, Any]) -> str:
    return (
        f"from {first['address']} came its first calls to {_stores(first)}, by several subjects or "
        "in another system"
    )


def _stores(first: Mapping[str, Any]) -> str:
    count = first["measure"]
    return "a secret store" if count == 1 else f"{count:.0f} secret stores within ten minutes"


BY_SUBJECT = Detection(
    id="several-stores-subject",
    severity=Severity.HIGH,
    about="a subject turns to several secret stores that are new to it, within minutes",
    warm_up="14 days; a subject without them is held to a higher limit",
    rows=by_subject,
    tell=_tell_subject,
)
BY_ADDRESS = Detection(
    id="several-stores-address",
    severity=Severity.HIGH,
    about="from one address several subjects, or one in another system, turn to new stores",
    warm_up="14 days; an address without them is held to a higher limit",
    rows=by_address,
    tell=_tell_address,
)
