"""Measures the detections of `audit` on a replayed log with planted attacks: what, and how soon.

Owns the counting. A finding is right when one of its lines belongs to a planted attack, of whatever
kind; an attack is found when its own detection has one of its lines. Time to detect runs from the
attack's first line to the line with which the evidence sufficed. The thresholds were set on seed 1;
the figures are taken on another.

    python -m benchmarks.audit_detections [--lines 1000000] [--seed 2]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from audit import anomalies, baseline
from audit.backend import connect, read_parquet
from audit.detections import ALL
from audit.findings import Finding
from audit.known import load
from audit.read import read
from audit.store import Store
from benchmarks import audit_replay, machine
from benchmarks.audit_attacks import GAP

_SLACK = 60  # seconds; silences are seen by the minute


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One attack, as it was labelled; `lines` are names of logs and numbers of lines."""

    kind: str
    start: datetime
    end: datetime
    lines: frozenset[tuple[str, int]]

    def explains(self, finding: Finding) -> bool:
        """Whether the finding's evidence belongs to this attack."""
        if self.kind == GAP:
            late = (finding.detected - self.end).total_seconds()
            return finding.detection == GAP and -_SLACK <= late <= 600
        return any((Path(e.file).name, e.line) in self.lines for e in finding.evidence)


@dataclass(frozen=True, kw_only=True)
class Score:
    """One detection's counts; `delays` in seconds, of the attacks that it found."""

    detection: str
    planted: int
    found: int
    findings: int
    right: int
    delays: tuple[float, ...]

    @property
    def recall(self) -> float:
        """The part of the planted attacks that was found."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """The part of the findings that is right."""
        return self.right / self.findings if self.findings else 1.0


def labels(path: Path) -> list[Planted]:
    """The planted attacks of a replay."""
    return [_planted(json.loads(line)) for line in path.read_text().splitlines()]


def score(findings: Sequence[Finding], planted: Sequence[Planted]) -> Iterator[Score]:
    """The counts of every detection."""
    for detection in ALL:
        own = [attack for attack in planted if attack.kind == detection.id]
        made = [finding for finding in findings if finding.detection == detection.id]
        delays = []
        for attack in own:
            hits = [f.detected for f in made if attack.explains(f)]
            if hits:
                delays.append(max(0.0, (min(hits) - attack.start).total_seconds()))
        yield Score(
            detection=detection.id,
            planted=len(own),
            found=len(delays),
            findings=len(made),
            right=sum(any(attack.explains(f) for attack in planted) for f in made),
            delays=tuple(delays),
        )


def table(scores: Sequence[Score]) -> str:
    """The counts as Markdown."""
    head = (
        "| detection | planted | found | recall | findings | right | precision | median time to "
        "detect | worst |\n|---|---|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *map(_line, scores)])


def _line(one: Score) -> str:
    typical = f"{median(one.delays):.0f} s" if one.delays else "-"
    worst = f"{max(one.delays):.0f} s" if one.delays else "-"
    return (
        f"| {one.detection} | {one.planted} | {one.found} | {one.recall:.2f} | {one.findings} | "
        f"{one.right} | {one.precision:.2f} | {typical} | {worst} |"
    )


def _planted(label: Mapping[str, Any]) -> Planted:
    return Planted(
        kind=label["kind"],
        start=datetime.fromisoformat(label["start"]),
        end=datetime.fromisoformat(label["end"]),
        lines=frozenset((log, line) for log, of in label["lines"].items() for line in of),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What the detections find in a replayed log.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        replay = audit_replay.write(Path(folder), lines=options.lines, seed=options.seed)
        store = Store(Path(folder) / "store")
        start = perf_counter()
        read(store, [replay.log, replay.cloud])
        done_reading = perf_counter()
        kept = [str(path) for path in baseline.kept(store)]
        done_baseline = perf_counter()
        backend = connect()
        visits = read_parquet(backend, "visits", baseline.VISITS, kept)
        known = load(replay.known)
        findings = anomalies.find(store.tables(backend), visits, known=known)
        done = perf_counter()
        planted = labels(replay.labels)
        print(f"{machine.facts()}\n")
        print(
            f"{replay.lines:,} lines until {replay.end:%Y-%m-%d}, seed {options.seed}; "
            f"{len(planted)} attacks planted, {len(findings)} findings.\n"
            f"Reading took {done_reading - start:.0f} s, the baseline "
            f"{done_baseline - done_reading:.0f} s, judging {done - done_baseline:.0f} s.\n"
        )
        print(table(list(score(findings, planted))))


if __name__ == "__main__":
    main()
