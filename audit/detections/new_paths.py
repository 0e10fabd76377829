"""What subjects read for the first time, and which of it says something.

Owns what is new: not in a subject's first days, no secret that is new itself or that many subjects
share, and nothing that a change of the subject's policy explains (a changed policy is for
`control_change`, unless it came with an expected deployment). `first_path` and `sweep` judge it.
"""

from __future__ import annotations

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Facts, seconds

_DAY = 86400
_WRITES = ("create", "update", "patch", "CreateSecret", "PutSecretValue")
# With a namespace in front; Kubernetes and AWS have a colon before their first slash.
_OWN = r"^([^:]*/)?(sys|auth)/"
_POLICY = r"^(.*/)?sys/(policy|policies/acl)/([^/]+)$"


def new_paths(facts: Facts) -> Table:
    """The first successful read of each subject on each path that is new to it.

    Paths under sys/ and auth/ are no secrets, but where a secrets engine has them.
    """
    limits = facts.thresholds
    own = facts.visits.store.isnull() & facts.visits.path.re_search(_OWN)
    visits = facts.visits.filter(~facts.visits.denied & ~own)
    since = facts.visits.group_by("subject").aggregate(since=facts.visits["first"].min())
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
    in_order = ibis.window(group_by="path", order_by=[row.time, row.subject])
    met = met.mutate(readers=ibis.row_number().over(in_order))
    met = met.inner_join(since, "subject").inner_join(read, "path").left_join(written, "path")
    met = met.mutate(second=seconds(row.time), hour=row.time.truncate("h"))
    met = met.inner_join(_calls_before(facts.visits), ["subject", "hour"])
    young = (
        row.written.notnull()
        & (row.written <= row.read)
        & (row.second - seconds(row.written) < limits.path_young_days * _DAY)
    ).fill_null(False)
    met = met.filter(
        (row.second - seconds(row.since) >= limits.warm_up_days * _DAY)
        & (row.before >= limits.path_warm_up_calls)
        & ~young
        & (row.readers < limits.path_shared_by)
    ).select("subject", "path", "time", "second", "hour", "address", "file", "line")
    return met.anti_join(_granted(facts, met), ["subject", "path"])


def _granted(facts: Facts, met: Table) -> Table:
    """Those that a policy allowed which had been written within days before."""
    named = facts.calls.path.re_extract(_POLICY, 3)
    changes = facts.calls.filter(
        facts.calls.error.isnull() & facts.calls.operation.isin(_WRITES) & (named != "")
    ).select(policy=named, changed=seconds(facts.calls.time))
    allowing = facts.calls.inner_join(met.select("file", "line", "second"), ["file", "line"])
    allowed = ibis.ifelse(row.granted_by.length() > 0, row.granted_by, row.policies)
    allowing = allowing.select("subject", "path", "second", policy=allowed)
    allowing = allowing.mutate(policy=row.policy.unnest())
    by = allowing.inner_join(changes, "policy")
    age = by.second - by.changed
    within = facts.thresholds.path_young_days * _DAY
    return by.filter((age >= 0) & (age < within)).select("subject", "path").distinct()


def _calls_before(visits: Table) -> Table:
    """Per subject and hour: how many calls it made in the hours before."""
    hours = visits.group_by(["subject", "hour"]).aggregate(calls=visits.calls.sum())
    earlier = ibis.rows_window(
        group_by="subject", order_by=row.hour, preceding=(None, 1), following=None
    )
    hours = hours.mutate(before=row.calls.sum().over(earlier).fill_null(0))
    return hours.select("subject", "hour", "before")
