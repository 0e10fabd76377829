"""The replay's second log: records of AWS CloudTrail for those who read secrets there, too.

Owns the form of a record, which follows AWS's documentation ("CloudTrail record contents") and was
not recorded from a service. Principals have other names than in Vault; addresses are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from benchmarks.audit_population import Call

_ACCOUNT = "111122223333"


def records(calls: Iterable[Call], start: datetime, done: int) -> Iterator[str]:
    """A line for each call; `done` records were written before."""
    for number, call in enumerate(calls, done + 1):
        name = call.subject.account if call.subject else "nobody"
        record = {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": f"AROAFAKE:{name}",
                "arn": f"arn:aws:sts::{_ACCOUNT}:assumed-role/{name}/fake",
            },
            "eventTime": f"{start + timedelta(seconds=call.second):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue",
            "sourceIPAddress": call.address,
            "requestParameters": {"secretId": call.path},
            "eventID": f"fa4e0000-0000-4000-b000-{number:012x}",
            "eventType": "AwsApiCall",
        }
        yield json.dumps(record, separators=(",", ":")) + "\n"
