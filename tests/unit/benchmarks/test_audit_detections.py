"""The replayed audit log and the counting of what was found in it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from audit.detections import ALL
from audit.findings import Evidence, Finding, Severity
from audit.logs import identify
from audit.schema import Source
from benchmarks import audit_replay
from benchmarks.audit_attacks import A_WEEK, GAP, plan
from benchmarks.audit_detections import Planted, score
from benchmarks.audit_population import population

START = datetime(2026, 1, 26, tzinfo=UTC)


def finding(detection: str, line: int, *, late: int = 0) -> Finding:
    when = START + timedelta(seconds=late)
    return Finding(
        id=f"{detection}-{line}",
        detection=detection,
        severity=Severity.HIGH,
        score=1.0,
        subject=None,
        address=None,
        path=None,
        start=START,
        detected=when,
        end=when,
        count=1,
        reason="",
        evidence=(Evidence(file="audit.log", line=line, time=when),),
    )


def planted(kind: str, *lines: int) -> Planted:
    end = START + timedelta(minutes=30)
    return Planted(
        kind=kind, start=START, end=end, lines=frozenset(("audit.log", line) for line in lines)
    )


def test_right_wrong_and_missed_are_counted() -> None:
    attacks = [planted("sweep", 10, 11), planted("sweep", 20), planted("root-use", 30)]
    findings = [
        finding("sweep", 11, late=40),
        finding("sweep", 99),  # nothing was planted there
        finding("first-path", 20),  # right, though another kind was planted
    ]
    scores = {each.detection: each for each in score(findings, attacks)}
    assert scores.keys() == {detection.id for detection in ALL}
    sweeps = scores["sweep"]
    assert (sweeps.planted, sweeps.found, sweeps.findings, sweeps.right) == (2, 1, 2, 1)
    assert (sweeps.recall, sweeps.precision, sweeps.delays) == (0.5, 0.5, (40.0,))
    assert (scores["first-path"].precision, scores["first-path"].planted) == (1.0, 0)
    assert scores["root-use"].recall == 0


def test_a_silence_is_told_by_its_end() -> None:
    attack = planted(GAP)
    assert attack.explains(finding(GAP, 0, late=1800))
    assert not attack.explains(finding(GAP, 0, late=3000))
    assert not attack.explains(finding("sweep", 0, late=1800))


def test_a_line_is_one_of_its_log() -> None:
    attack = planted("sweep", 10)
    elsewhere = Evidence(file="/fake/cloudtrail.log", line=10, time=START)
    assert attack.explains(finding("sweep", 10))
    assert not attack.explains(replace(finding("sweep", 10), evidence=(elsewhere,)))


def test_the_same_seed_makes_the_same_log_of_whole_calls(tmp_path: Path) -> None:
    one = audit_replay.write(tmp_path / "one", lines=12_000, seed=4)
    two = audit_replay.write(tmp_path / "two", lines=12_000, seed=4)
    other = audit_replay.write(tmp_path / "other", lines=12_000, seed=5)
    assert one.log.read_bytes() == two.log.read_bytes() != other.log.read_bytes()
    assert one.cloud.read_bytes() == two.cloud.read_bytes()
    logs = [identify(path) for path in (one.log, one.cloud)]
    assert [log and log.source for log in logs] == [Source.VAULT, Source.CLOUDTRAIL]
    entries = [json.loads(line) for line in one.log.read_text().splitlines()]
    assert one.lines == len(entries) >= 12_000
    phases: dict[str, list[str]] = {}
    for entry in entries:
        phases.setdefault(entry["request"]["id"], []).append(entry["type"])
        assert "@" not in json.dumps(entry)
    times = [entry["time"] for entry in entries if entry["type"] == "request"]
    assert times == sorted(times)


def test_each_kind_is_planted_at_its_rate_within_its_week() -> None:
    random = Random(6)
    attacks = list(plan(population(random), range(3, 5), random))
    kinds = Counter(attack.kind for attack in attacks)
    assert kinds.pop(GAP) == A_WEEK
    assert set(kinds.values()) == {2 * A_WEEK}
    assert kinds.keys() == {detection.id for detection in ALL} - {GAP}
    assert len({attack.number for attack in attacks}) == len(attacks)
    assert all(3 * 7 * 86400 <= attack.start < 5 * 7 * 86400 for attack in attacks)
    assert all(call.attack == attack.number for attack in attacks for call in attack.calls)
