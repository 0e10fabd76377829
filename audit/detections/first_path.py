"""First-time path: a subject reads something that it never read, though it is no new secret.

Reads that were refused are for `denied_burst`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence
from audit.detections.new_paths import new_paths
from audit.findings import Severity

_DAY = 86400


def rows(facts: Facts) -> Table:
    """The first read of each new path, of subjects that seldom meet new ones."""
    limits = facts.thresholds
    recently = ibis.range_window(
        group_by="subject",
        order_by=row.second,
        preceding=limits.path_new_days * _DAY,
        following=0,
    )
    met = new_paths(facts).mutate(earlier=row.line.count().over(recently) - 1)
    new = met.filter(row.earlier <= limits.path_most_new)
    return evidence(
        new,
        new.subject,
        measure=new.earlier + 1,
        usual=new.earlier,
        score=1 - 0.5 * new.earlier / (limits.path_most_new + 1),
    )


def _tell(first: Mapping[str, Any]) -> str:
    others = first["count"] - 1
    more = f" and {others} more" if others else ""
    return f"{first['subject']} read {first['path']}{more} for the first time"


DETECTION = Detection(
    id="first-path",
    severity=Severity.MEDIUM,
    about="a subject reads what it never read before, though the secret is not new",
    warm_up="7 days and 200 calls; who met more than 3 new paths in 28 days is not judged",
    rows=rows,
    tell=_tell,
)
