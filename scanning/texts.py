"""The report for people, for programs, and as entries that a reviewer completes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from scanning.config import FILE
from scanning.model import Finding
from scanning.scan import Report
from scanning.snapshot import Mode


def lines(report: Report) -> Iterator[str]:
    """One line for each open finding, each file not scanned, each stale entry."""
    for found in report.open:
        where = ",".join(map(str, found.lines))
        others = ", ".join(dict.fromkeys(rule for rule, _ in found.marks[1:] if rule != found.rule))
        since = f", since commit {found.commit}" if found.commit else ""
        also = f" (also {others})" if others else ""
        what = f"{found.rule}: {found.redacted}, hash {found.hash}"
        yield f"{_on_one_line(found.path)}:{where}: {what}{since}{also}"
    for file in report.unscanned:
        if not file.in_order:
            yield f"{_on_one_line(file.path)}: NOT SCANNED: {file.obstacle}, {file.detail}"
    for entry in report.stale:
        yield f"{FILE}: accepted and no longer found: {entry.path}, {entry.rule}, {entry.hash}"


def _on_one_line(path: str) -> str:
    """A name may hold line ends and whatever else a terminal obeys."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", path)


def summary(report: Report) -> str:
    """What was scanned by whom, and with what result, in one sentence."""
    kinds = Counter(file.obstacle for file in report.unscanned)
    left_out = "".join(f", {count} {kind}" for kind, count in kinds.items())
    accepted = len(report.findings) - len(report.open)
    versions = "versions of files" if report.mode is Mode.HISTORY else "files"
    gone = f", {len(report.stale)} accepted and gone" if report.mode is Mode.HISTORY else ""
    return (
        f"{len(report.open)} secrets in {report.files} {versions}{left_out}; {accepted} accepted"
        f"{gone}; scanned by {', '.join(report.scanners)}"
    )


def data(report: Report) -> dict[str, Any]:
    """The whole report for programs, accepted findings too."""
    return {
        "mode": report.mode,
        "scanners": list(report.scanners),
        "files": report.files,
        "status": report.status,
        "findings": [_finding(found) for found in report.findings],
        "unscanned": [
            {"path": one.path, "why": one.obstacle, "detail": one.detail, "inOrder": one.in_order}
            for one in report.unscanned
        ],
        "stale": [{"path": one.path, "rule": one.rule, "hash": one.hash} for one in report.stale],
    }


def proposal(report: Report) -> str:
    """Entries for the open findings, without the reason that makes them valid, as YAML."""
    entries = [
        {"path": found.path, "rule": found.rule, "hash": found.hash, "reason": ""}
        for found in report.open
    ]
    return yaml.safe_dump(
        {"salt": report.salt.hex(), "accepted": entries}, sort_keys=False, allow_unicode=True
    )


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "path": found.path,
        "lines": list(found.lines),
        "rule": found.rule,
        "rules": [rule for rule, _ in found.marks],
        "redacted": found.redacted,
        "hash": found.hash,
        "commit": found.commit,
        "reason": found.reason,
    }
