"""CloudTrail's records and the API server's events, in each form in which they come."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.audit.entries import Rows, events_of, read_into, write

RECORD: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAFAKE:session",
        "arn": "arn:aws:sts::111122223333:assumed-role/ml-training/session",
        "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/ml-training"}},
    },
    "eventTime": "2026-01-05T09:00:00Z",
    "eventSource": "secretsmanager.amazonaws.com",
    "eventName": "GetSecretValue",
    "sourceIPAddress": "10.0.0.9",
    "requestParameters": {"secretId": "ml/mlflow"},
    "responseElements": None,
    "eventID": "00000000-0000-4000-9000-000000000001",
    "eventType": "AwsApiCall",
}
WEB_IDENTITY = {
    **RECORD,
    "userIdentity": {"type": "WebIdentityUser", "userName": "system:serviceaccount:ml:trainer"},
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRoleWithWebIdentity",
    "requestParameters": None,
    "resources": [{"ARN": "arn:aws:iam::111122223333:role/ml-training", "type": "AWS::IAM::Role"}],
    "eventID": "00000000-0000-4000-9000-000000000002",
}
REFUSED = {
    **RECORD,
    "eventSource": "kms.amazonaws.com",
    "eventName": "Decrypt",
    "requestParameters": {"keyId": "arn:aws:kms:eu-central-1:111122223333:key/fake"},
    "errorCode": "AccessDenied",
    "errorMessage": "not authorised\n  to decrypt",
    "eventID": "00000000-0000-4000-9000-000000000003",
}
RECORDS = [RECORD, WEB_IDENTITY, REFUSED]

EVENT: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "auditID": "00000000-0000-4000-a000-000000000001",
    "stage": "ResponseComplete",
    "requestURI": "/api/v1/namespaces/ml/secrets/mlflow?fake=1",
    "verb": "get",
    "user": {"username": "system:serviceaccount:ml:trainer", "uid": "fake-uid", "groups": ["a"]},
    "sourceIPs": ["10.0.0.7", "10.0.0.8"],
    "objectRef": {"resource": "secrets", "namespace": "ml", "name": "mlflow", "apiVersion": "v1"},
    "responseStatus": {"metadata": {}, "code": 200},
    "stageTimestamp": "2026-01-05T09:00:00.000001Z",
}
EVENTS = [
    EVENT,
    {**EVENT, "stage": "RequestReceived"},
    {
        **EVENT,
        "auditID": "00000000-0000-4000-a000-000000000002",
        "verb": "delete",
        "user": {"username": "ada"},
        "objectRef": {"resource": "clusterroles", "name": "fake"},
        "responseStatus": {"code": 403, "message": "ada may not\ndelete it", "reason": "Forbidden"},
    },
    {
        **EVENT,
        "auditID": "00000000-0000-4000-a000-000000000003",
        "verb": "list",
        "objectRef": {"resource": "secrets"},
    },
    {
        **EVENT,
        "auditID": "00000000-0000-4000-a000-000000000004",
        "objectRef": None,
        "requestURI": "/healthz?verbose",
        "responseStatus": {"code": 500},
    },
]


def lines(values: list[dict[str, Any]]) -> list[bytes]:
    return [orjson.dumps(value) for value in values]


def document(path: Path, key: str, values: list[dict[str, Any]], **more: str) -> Path:
    content = orjson.dumps({**more, key: values})
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def columns(found: Rows, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in found]


@pytest.mark.parametrize("form", ["a document", "a compressed document", "lines"])
def test_cloudtrail(tmp_path: Path, form: str) -> None:
    if form == "lines":
        log = write(tmp_path / "trail.json", lines(RECORDS))
    else:
        log = document(
            tmp_path / f"trail.json{'.gz' if 'comp' in form else ''}", "Records", RECORDS
        )
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.problems) == (3, 0)
    found = sorted(events_of(store), key=lambda one: one["request_id"])
    role = "arn:aws:iam::111122223333:role/ml-training"
    session = "arn:aws:sts::111122223333:assumed-role/ml-training/session"
    assert columns(found, "subject", "role", "path", "operation", "error", "line") == [
        (session, role, "secretsmanager:ml/mlflow", "GetSecretValue", None, 1),
        ("ml/trainer", None, role, "AssumeRoleWithWebIdentity", None, 2),
        (
            *(session, role, "arn:aws:kms:eu-central-1:111122223333:key/fake", "Decrypt"),
            *("AccessDenied: not authorised; to decrypt", 3),
        ),
    ]
    assert {(one["source"], one["phase"], one["device"]) for one in found} == {
        ("cloudtrail", "response", "cloudtrail")
    }
    assert read_into(tmp_path / "store", log)[1].events == 0


@pytest.mark.parametrize("form", ["a list", "lines"])
def test_kubernetes(tmp_path: Path, form: str) -> None:
    if form == "lines":
        log = write(tmp_path / "audit.log", lines(EVENTS))
    else:
        versioned = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1"}
        log = document(tmp_path / "audit.json", "items", EVENTS, **versioned)
    store, outcome = read_into(tmp_path / "store", log)
    assert (outcome.events, outcome.problems) == (5, 0)
    found = sorted(events_of(store), key=lambda one: one["line"])
    assert columns(found, "phase", "subject", "operation", "path", "mount", "error") == [
        ("response", "ml/trainer", "get", "k8s:ml/mlflow", "secrets", None),
        ("request", "ml/trainer", "get", "k8s:ml/mlflow", "secrets", None),
        (
            *("response", "ada", "delete", "k8s:clusterroles/fake", "clusterroles"),
            "ada may not; delete it",
        ),
        ("response", "ml/trainer", "list", "k8s:secrets", "secrets", None),
        ("response", "ml/trainer", "get", "/healthz", None, "HTTP status 500"),
    ]
    assert {one["address"] for one in found} == {"10.0.0.8"}


def test_a_document_that_is_cut_is_told_and_read_when_it_is_whole(tmp_path: Path) -> None:
    log = document(tmp_path / "trail.json", "Records", RECORDS)
    whole = log.read_bytes()
    log.write_bytes(whole[:-30])
    _, outcome = read_into(tmp_path / "store", log)
    assert [one.reason for one in outcome.unfinished] == ["the document is cut or damaged"]
    log.write_bytes(whole)
    assert read_into(tmp_path / "store", log)[1].events == 3


def test_logs_of_all_kinds_are_one_table(tmp_path: Path) -> None:
    write(tmp_path / "kubernetes.log", lines(EVENTS))
    document(tmp_path / "trail.json.gz", "Records", RECORDS)
    store, _ = read_into(tmp_path / "store", tmp_path)
    assert {one["source"] for one in events_of(store)} == {"cloudtrail", "kubernetes"}


def test_an_audit_id_that_its_client_used_before_hides_no_other_call(tmp_path: Path) -> None:
    other = {**EVENT, "objectRef": {**EVENT["objectRef"], "name": "another"}}
    again = {**EVENT, "user": {**EVENT["user"], "username": "somebody-else"}}
    acting, apart = ({**EVENT, "impersonatedUser": {"username": name}} for name in ("ada", "bob"))
    lines = [orjson.dumps(each) for each in (EVENT, other, again, acting, apart, acting, EVENT)]
    store, outcome = read_into(tmp_path / "store", write(tmp_path / "audit.log", lines))
    assert (outcome.events, outcome.known) == (5, 2)
    assert {one["role"] for one in events_of(store)} == {None, "ada", "bob"}
    assert {one["path"] for one in events_of(store)} == {"k8s:ml/mlflow", "k8s:ml/another"}
