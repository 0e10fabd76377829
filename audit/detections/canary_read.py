"""Canary read: somebody asked for a decoy, which nobody needs for work. Refused or not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

import ibis
from ibis import Table

from audit.detections.detection import Detection, Facts, evidence
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The calls on decoys."""
    path = facts.calls.path
    tests = [
        path.startswith(canary.removesuffix("*")) if canary.endswith("*") else path == canary
        for canary in facts.known.canaries
    ]
    touched = facts.calls.filter(reduce(or_, tests, ibis.literal(False)))
    return evidence(touched, touched.subject.fill_null("nobody known"))


def _tell(first: Mapping[str, Any]) -> str:
    who = first["subject"] or "somebody unknown"
    return f"{who} asked for the decoy {first['path']}, which nobody needs for work"


DETECTION = Detection(
    id="canary-read",
    severity=Severity.CRITICAL,
    about="somebody asks for a decoy that the file of known things names",
    warm_up="none",
    rows=rows,
    tell=_tell,
)
