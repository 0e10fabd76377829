"""All detections, one a file, each an expression over `audit.detections.detection.Facts`."""

from __future__ import annotations

from audit.detections import (
    audit_off,
    canary_read,
    control_change,
    denied_burst,
    first_path,
    frequency,
    gap,
    new_address,
    root,
    several_stores,
    spent_wrapping,
    sweep,
    unusual_hours,
)

ALL = (
    canary_read.DETECTION,
    root.USE,
    root.GENERATION,
    audit_off.DETECTION,
    spent_wrapping.DETECTION,
    control_change.DETECTION,
    denied_burst.BY_SUBJECT,
    denied_burst.BY_ADDRESS,
    sweep.DETECTION,
    several_stores.BY_SUBJECT,
    several_stores.BY_ADDRESS,
    new_address.DETECTION,
    unusual_hours.DETECTION,
    first_path.DETECTION,
    frequency.DETECTION,
    gap.DETECTION,
)
