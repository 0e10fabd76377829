"""Runs every detection over what was read. Owns their order, and which findings are new."""

from __future__ import annotations

from datetime import datetime

from ibis import Table

from audit import baseline
from audit.backend import Tables
from audit.detections import ALL
from audit.detections.detection import Facts
from audit.findings import Finding, rank
from audit.known import NOTHING, Known
from audit.schema import Phase
from audit.thresholds import DEFAULT


def find(
    tables: Tables,
    visits: Table,
    *,
    known: Known = NOTHING,
    since: datetime | None = None,
) -> tuple[Finding, ...]:
    """The findings, the worst first; `since` leaves out what was detected before.

    `visits` is the baseline (`audit.baseline`), with the judged events in it.
    """
    events = tables.events
    facts = Facts(
        requests=events.filter(events.phase == Phase.REQUEST.value),
        calls=baseline.calls(events),
        visits=visits,
        activity=tables.activity,
        known=known,
        thresholds=DEFAULT,
    )
    findings = [
        finding
        for detection in ALL
        for finding in detection.findings(detection.episodes(facts).to_pyarrow().to_pylist())
        if since is None or finding.detected >= since
    ]
    return tuple(sorted(findings, key=rank))
