"""The report as SARIF 2.1.0, for code scanning.

What was not checked is a result of kind `open`; what is waived carries its suppression.
Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from policies.check import Report
from policies.judge import Outcome, Status, shown
from policies.rule import Level, Requirement, Severity

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {Level.MANDATORY: "error", Level.ADVISORY: "warning"}
# The scale on which code scanning sorts.
_SCORES = {
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def render(report: Report) -> str:
    """The report as one SARIF log."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    run = {
        "tool": {
            "driver": {
                "name": "strongroom",
                "rules": [_rule(rule, report) for rule in report.rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not any(u.broken for u in report.unread),
                "toolExecutionNotifications": [
                    {"level": "error" if u.broken else "note", "message": {"text": _said(u)}}
                    for u in report.unread
                ],
            }
        ],
        "results": [_result(outcome, index, report) for outcome in report.outcomes],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _said(unread: Any) -> str:
    return f"{unread.place} {unread.reason}"


def _rule(rule: Requirement, report: Report) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.remediation},
        "defaultConfiguration": {"level": _LEVELS[rule.levels[report.environment]]},
        "properties": {
            "security-severity": _SCORES[rule.severity],
            "tags": ["security", *rule.frameworks],
        },
    }


def _result(outcome: Outcome, index: dict[str, int], report: Report) -> dict[str, Any]:
    file = report.files.get(outcome.urn)
    urn = shown(outcome.urn)
    where: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": urn}]}
    if file:
        where["physicalLocation"] = {"artifactLocation": {"uri": quote(file.as_posix())}}
    identity = "\0".join((outcome.rule.id, urn, outcome.evidence))
    result: dict[str, Any] = {
        "ruleId": outcome.rule.id,
        "ruleIndex": index[outcome.rule.id],
        "message": {"text": str(outcome)},
        "locations": [where],
        "partialFingerprints": {"outcome/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if outcome.status is Status.NOT_CHECKED:
        return {**result, "kind": "open", "level": "none"}
    if outcome.status is Status.WAIVED and outcome.waiver:
        excuse = {"kind": "external", "justification": f"{outcome.waiver}: {outcome.waiver.reason}"}
        result["suppressions"] = [excuse]
    return {**result, "kind": "fail", "level": _LEVELS[outcome.level]}
