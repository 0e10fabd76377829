"""Audit off: somebody tried to take away an audit device, or to seal the server.

The attempt counts, announced or not: OpenBao refuses to remove a device of its configuration. The
request is the evidence, since neither a removal nor a sealing need be answered in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibis import Table

from audit.detections.detection import Detection, Facts, evidence, of_vault
from audit.findings import Severity


def rows(facts: Facts) -> Table:
    """The attempts."""
    asked = facts.requests
    device = of_vault(asked, "sys/audit/") & (asked.operation == "delete")
    tried = asked.filter(device | (of_vault(asked, "sys/seal$") & (asked.operation != "read")))
    return evidence(tried, tried.subject.fill_null("nobody known"))


def _tell(first: Mapping[str, Any]) -> str:
    return f"{first['subject'] or 'somebody unknown'} tried to switch off {first['path']}"


DETECTION = Detection(
    id="audit-off",
    severity=Severity.CRITICAL,
    about="somebody tries to remove an audit device or to seal the server",
    warm_up="none",
    rows=rows,
    tell=_tell,
)
