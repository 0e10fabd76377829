"""The report as JSON for programs. Owns the names of the fields."""

from __future__ import annotations

import json

from policies.check import Report


def render(report: Report) -> str:
    """The report as one JSON object."""
    return json.dumps(
        {
            "environment": report.environment,
            "stops": report.stops,
            "judged": report.judged,
            "rules": [
                {
                    "id": rule.id,
                    "title": rule.title,
                    "severity": rule.severity,
                    "level": rule.levels[report.environment],
                    "frameworks": list(rule.frameworks),
                    "remediation": rule.remediation,
                }
                for rule in report.rules
            ],
            "outcomes": [
                {
                    "rule": outcome.rule.id,
                    "status": outcome.status,
                    "level": outcome.level,
                    "resource": outcome.resource,
                    "urn": outcome.urn,
                    "file": str(report.files.get(outcome.urn, "")),
                    "evidence": outcome.evidence,
                    "fix": outcome.fix,
                    "waiver": str(outcome.waiver) if outcome.waiver else None,
                }
                for outcome in report.outcomes
            ],
            "unread": [{"place": u.place, "reason": u.reason} for u in report.unread],
            "waivers": {
                "problems": list(report.waivers.problems),
                "unused": [str(waiver) for waiver in report.waivers.unused],
            },
        },
        indent=2,
    )
