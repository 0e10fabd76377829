"""Detections that need no habit: refusals, decoys, root, changes, audit devices, silences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from audit.detections import (
    audit_off,
    canary_read,
    control_change,
    denied_burst,
    gap,
    root,
    spent_wrapping,
)
from audit.detections.detection import Detection
from audit.findings import Severity
from audit.known import Known
from tests.unit.audit_anomalies.logs import (
    ALICE,
    AWAY,
    BOB,
    MONDAY,
    Call,
    at,
    denied,
    found,
)

DECOY = "secret/data/fake/decoy"
WINDOW = {"from": at(1, 14).isoformat(), "to": at(1, 15).isoformat()}


def refused(calls: int, pace: float = 10, **fields: Any) -> list[Call]:
    first = denied(Call(time=at(0)))
    return [replace(first, time=at(0, 9, n * pace), **fields) for n in range(calls)]


def test_twenty_refusals_of_a_subject_are_a_burst() -> None:
    [finding] = found(denied_burst.BY_SUBJECT, refused(30))
    assert (finding.subject, finding.count, finding.severity) == (ALICE, 30, Severity.HIGH)
    assert finding.detected == at(0, 9, 190)
    assert finding.start == at(0, 9)
    assert found(denied_burst.BY_ADDRESS, refused(30)) == []


def test_nineteen_or_slow_refusals_are_no_burst() -> None:
    assert found(denied_burst.BY_SUBJECT, refused(19)) == []
    assert found(denied_burst.BY_SUBJECT, refused(60, pace=60)) == []


def test_calls_that_went_through_are_no_refusals() -> None:
    assert found(denied_burst.BY_SUBJECT, [replace(c, error=None) for c in refused(30)]) == []


def test_bad_tokens_from_one_address_are_a_burst() -> None:
    calls = refused(25, subject=None, address=AWAY)
    [finding] = found(denied_burst.BY_ADDRESS, calls)
    assert (finding.subject, finding.address, finding.count) == (None, AWAY, 25)
    assert found(denied_burst.BY_SUBJECT, calls) == []
    assert found(denied_burst.BY_ADDRESS, refused(19, subject=None, address=AWAY)) == []


def test_changing_subjects_from_one_address_are_a_burst() -> None:
    calls = refused(24, address=AWAY)
    changing = [replace(c, subject=f"fake/{n % 4}") for n, c in enumerate(calls)]
    [finding] = found(denied_burst.BY_ADDRESS, changing)
    assert finding.address == AWAY


def test_two_bursts_with_a_long_pause_are_two_findings() -> None:
    later = [replace(c, time=c.time + timedelta(hours=3)) for c in refused(25)]
    findings = found(denied_burst.BY_SUBJECT, [*refused(25), *later])
    assert [f.start for f in findings] == [at(0, 9), at(0, 12)]
    assert len({f.id for f in findings}) == 2


@pytest.mark.parametrize("canary", [DECOY, "secret/data/fake/de*"])
@pytest.mark.parametrize("error", [None, "permission denied"])
def test_a_decoy_is_touched(canary: str, error: str | None) -> None:
    known = Known(canaries=(canary,))
    calls = [Call(time=at(0)), Call(time=at(0, 10), path=DECOY, error=error)]
    [finding] = found(canary_read.DETECTION, calls, known)
    assert (finding.path, finding.subject, finding.count) == (DECOY, ALICE, 1)
    assert finding.severity is Severity.CRITICAL


def test_without_decoys_and_on_other_paths_nothing_is_touched() -> None:
    calls = [Call(time=at(0), path=DECOY)]
    assert found(canary_read.DETECTION, calls) == []
    assert found(canary_read.DETECTION, calls, Known(canaries=(f"{DECOY}/more",))) == []


def test_a_root_token_at_work_is_found_and_told_once_an_hour() -> None:
    calls = [Call(time=at(0, 9, n), subject="root", policies=("root",)) for n in range(12)]
    [finding] = found(root.USE, calls)
    assert (finding.count, len(finding.evidence)) == (12, 10)
    assert [e.line for e in finding.evidence] == list(range(2, 22, 2))


def test_a_root_token_by_another_name_is_one() -> None:
    assert found(root.USE, [Call(time=at(0), subject="token", policies=("default", "root"))])
    assert found(root.USE, [Call(time=at(0), subject="rooted", policies=("rooted",))]) == []


def test_root_in_an_announced_window_is_expected() -> None:
    known = Known.model_validate({"root_windows": [WINDOW]})
    inside = Call(time=at(1, 14), subject="root", policies=("root",))
    assert found(root.USE, [inside], known) == []
    assert found(root.USE, [replace(inside, time=at(1, 15))], known)


@pytest.mark.parametrize(
    "path",
    [
        "sys/generate-root/attempt",
        "sys/generate-root-token/attempt",
        "team/sys/generate-root-token/attempt",
    ],
)
def test_both_dialects_of_making_root_are_found(path: str) -> None:
    tried = Call(time=at(0), subject=None, path=path, operation="update")
    assert found(root.GENERATION, [tried])
    assert found(root.GENERATION, [replace(tried, operation="read")]) == []


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("sys/policies/acl/fake", "update"),
        ("sys/policy/fake", "delete"),
        ("sys/auth/fake", "update"),
        ("sys/mounts/fake", "delete"),
        ("fake-namespace/sys/mounts/fake", "update"),
        ("auth/kubernetes/role/fake", "create"),
        ("sys/audit/fake", "update"),
    ],
)
def test_changes_outside_a_deployment_are_found(path: str, operation: str) -> None:
    known = Known.model_validate({"deployments": [WINDOW]})
    change = Call(time=at(1, 13), path=path, operation=operation)
    [finding] = found(control_change.DETECTION, [change], known)
    assert path in finding.reason
    assert found(control_change.DETECTION, [replace(change, time=at(1, 14.5))], known) == []
    assert found(control_change.DETECTION, [denied(change)], known) == []


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("auth/kubernetes/login", "update"),
        ("auth/token/renew-self", "update"),
        ("sys/policies/acl/fake", "read"),
        ("secret/data/sys/mounts", "update"),
        ("sys/leases/renew", "update"),
    ],
)
def test_ordinary_calls_are_no_changes(path: str, operation: str) -> None:
    call = Call(time=at(0), path=path, operation=operation)
    assert found(control_change.DETECTION, [call]) == []


def test_a_window_for_one_subject_is_for_no_other() -> None:
    known = Known.model_validate({"deployments": [{**WINDOW, "subject": ALICE}]})
    change = Call(time=at(1, 14), path="sys/mounts/fake", operation="update")
    assert found(control_change.DETECTION, [change], known) == []
    assert found(control_change.DETECTION, [replace(change, subject=BOB)], known)
    assert found(control_change.DETECTION, [replace(change, subject=None)], known)


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("sys/audit/file", "delete"),
        ("sys/seal", "update"),
        ("fake-namespace/sys/audit/file", "delete"),
        ("fake-namespace/of-it/sys/seal", "update"),
    ],
)
def test_switching_the_audit_off_is_found_without_an_answer(path: str, operation: str) -> None:
    tried = Call(time=at(1, 14.5), path=path, operation=operation, phases=("request",))
    known = Known.model_validate({"deployments": [WINDOW]})
    [finding] = found(audit_off.DETECTION, [tried], known)
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence[0].line == 1
    assert found(audit_off.DETECTION, [replace(tried, operation="read")], known) == []


@pytest.mark.parametrize(
    ("detection", "path", "operation"),
    [
        (audit_off.DETECTION, "secret/data/sys/audit/file", "delete"),
        (audit_off.DETECTION, "secret/data/sys/seal", "update"),
        (root.GENERATION, "secret/data/sys/generate-root", "update"),
        (control_change.DETECTION, "fake-namespace/sys/audit/file", "delete"),
    ],
)
def test_a_secret_of_that_name_or_another_detections_matter_is_not_found(
    detection: Detection, path: str, operation: str
) -> None:
    assert found(detection, [Call(time=at(0), path=path, operation=operation)]) == []


SPENT = Call(
    time=at(0),
    subject=None,
    path="sys/wrapping/unwrap",
    address=AWAY,
    operation="update",
    error="wrapping token is not valid or does not exist",
    phases=("request",),
)


@pytest.mark.parametrize("path", ["unwrap", "lookup", "rewrap"])
@pytest.mark.parametrize("namespace", ["", "fake-namespace/"])
def test_a_wrapping_token_that_is_spent_is_found(namespace: str, path: str) -> None:
    asked = f"{namespace}sys/wrapping/{path}"
    [finding] = found(spent_wrapping.DETECTION, [replace(SPENT, path=asked)])
    assert (finding.severity, finding.address, finding.path) == (Severity.HIGH, AWAY, asked)
    assert (finding.subject, finding.count, finding.evidence[0].line) == (None, 1, 1)
    assert finding.reason.startswith(f"from {AWAY} somebody came once with a wrapping token")


def test_many_tries_with_wrapping_tokens_are_one_finding_of_their_address() -> None:
    calls = [replace(SPENT, time=at(0, 9, n)) for n in range(12)]
    other = replace(SPENT, time=at(0, 9, 3), address=None)
    several, one = sorted(found(spent_wrapping.DETECTION, [*calls, other]), key=lambda f: -f.count)
    assert (several.count, several.address, one.address) == (12, AWAY, None)
    assert "12 times" in several.reason
    assert one.reason.startswith("from no address ")


@pytest.mark.parametrize(
    "call",
    [
        replace(SPENT, error=None, phases=("request", "response")),
        replace(SPENT, error="permission denied", path="sys/wrapping/wrap"),
        replace(SPENT, path="secret/data/sys/wrapping/unwrap"),
    ],
)
def test_wrapping_that_goes_well_is_not_found(call: Call) -> None:
    assert found(spent_wrapping.DETECTION, [call]) == []


def minutes(days: int, *, without: dict[int, tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """A busy device: an entry each minute but for the silences (day: first and last minute)."""
    for day in range(days):
        start, end = without.get(day, (0, 0))
        for minute in range(0, 1440, 2):
            if not start <= minute < end:
                moment = MONDAY + timedelta(days=day, minutes=minute)
                yield {"device": "/fake/audit.log", "minute": moment, "entries": 5}


def silences(days: int, without: dict[int, tuple[int, int]]) -> list[str]:
    activity = list(minutes(days, without=without))
    return [finding.reason for finding in found(gap.DETECTION, [], activity=activity)]


def test_a_silence_of_a_busy_device_is_a_gap() -> None:
    [reason] = silences(21, {20: (600, 660)})
    assert "silent for 61 minutes before 2026-01-25 11:00" in reason


def test_a_second_silence_is_a_gap_too() -> None:
    assert len(silences(30, {20: (600, 660), 25: (100, 130)})) == 2


def test_a_short_silence_is_none() -> None:
    assert silences(21, {20: (600, 612)}) == []


def test_a_device_that_is_silent_every_night_has_no_gap() -> None:
    assert silences(30, dict.fromkeys(range(30), (0, 300))) == []


def test_a_device_that_is_silent_every_weekend_has_no_gap() -> None:
    weekends = {day: (0, 1440) for day in range(35) if day % 7 >= 5}
    assert silences(35, weekends) == []
    [reason] = silences(35, {**weekends, 30: (600, 700)})
    assert "silent for 101 minutes" in reason


def test_silences_are_not_judged_in_the_first_two_weeks() -> None:
    assert silences(14, {10: (600, 660)}) == []
