"""The report as SARIF 2.1.0, for code scanning.

Accepted findings are there with their suppression, so that their reason is read beside them.
Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from scanning.model import Finding
from scanning.rules import RULES
from scanning.scan import Report

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_TITLES = {f"strongroom/{rule.id}": rule.title for rule in RULES}
_HELP = "Revoke or change the secret first, then remove it: docs/runbooks/secret-found.md"


def render(report: Report) -> str:
    """The report as one SARIF log."""
    names = sorted({found.rule for found in report.findings})
    run = {
        "tool": {"driver": {"name": "strongroom scan", "rules": [_rule(name) for name in names]}},
        "invocations": [
            {
                "executionSuccessful": all(file.in_order for file in report.unscanned),
                "toolExecutionNotifications": [*_unscanned(report), *_stale(report)],
            }
        ],
        "results": [_result(found, names.index(found.rule)) for found in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": _TITLES.get(name, f"Secret found by {name}")},
        "help": {"text": _HELP},
        "defaultConfiguration": {"level": "error"},
        "properties": {"security-severity": "9.0", "tags": ["security", "secret"]},
    }


def _result(found: Finding, rule_index: int) -> dict[str, Any]:
    since = f", since commit {found.commit}" if found.commit else ""
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": rule_index,
        "level": "error",
        "message": {"text": f"{found.rule}: {found.redacted}, hash {found.hash}{since}. {_HELP}"},
        "locations": [_location(found.path, line) for line in found.lines],
        "partialFingerprints": {"strongroomSecret/v1": found.hash},
    }
    if found.reason:
        result["suppressions"] = [{"kind": "external", "justification": found.reason}]
    return result


def _location(path: str, line: int) -> dict[str, Any]:
    uri = quote(path.encode(errors="surrogateescape"))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def _unscanned(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "level": "note" if file.in_order else "error",
            "message": {"text": f"not scanned: {file.path!r}: {file.obstacle}, {file.detail}"},
        }
        for file in report.unscanned
    ]


def _stale(report: Report) -> list[dict[str, Any]]:
    return [
        {
            "level": "warning",
            "message": {
                "text": f"accepted and no longer found: {one.path}, {one.rule}, {one.hash}"
            },
        }
        for one in report.stale
    ]
