"""The form of every CronJob here: UTC, never two at once, a deadline, and a short history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

START_WITHIN_SECONDS = 600
HISTORY = 3


def cron_job_spec(
    schedule: str, pod: Mapping[str, Any], *, labels: Mapping[str, str], seconds: int, retries: int
) -> dict[str, Any]:
    """`spec` of a CronJob: `pod` at `schedule` (cron, UTC), ended after `seconds`."""
    return {
        "schedule": schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": START_WITHIN_SECONDS,
        "successfulJobsHistoryLimit": HISTORY,
        "failedJobsHistoryLimit": HISTORY,
        "jobTemplate": {
            "metadata": {"labels": labels},
            "spec": {
                "activeDeadlineSeconds": seconds,
                "backoffLimit": retries,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    }
