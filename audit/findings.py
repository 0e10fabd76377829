"""A finding: what was found, how sure, in which lines, and why in words.

Owns its form, and putting it together from the evidence rows of a detection.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is if it is true; the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One line of a log."""

    file: str
    line: int
    time: datetime


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`score` is how far from usual, 0 to 1; `detected` when the evidence sufficed.

    The id stays the same however often the same log is judged. `count` calls are evidence, of which
    the first few are named.
    """

    id: str
    detection: str
    severity: Severity
    score: float
    subject: str | None
    address: str | None
    path: str | None
    start: datetime
    detected: datetime
    end: datetime
    count: int
    reason: str
    evidence: tuple[Evidence, ...]


def identify(detection: str, key: str, start: datetime) -> str:
    """The id of what `key` did from `start` on."""
    text = f"{detection}|{key}|{start.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def rank(finding: Finding) -> tuple[int, float, datetime]:
    """Sorts the worst first, then the oldest."""
    return list(Severity).index(finding.severity), -finding.score, finding.start


def in_utc(time: datetime) -> datetime:
    """The same moment in UTC; Spark leaves the zone out, and works in UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
