"""Records of AWS CloudTrail: what a row takes from one.

Owns the names of the fields (AWS documentation, "CloudTrail record contents"). CloudTrail delivers
documents with a list `Records`; one record a line is read as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIST = "Records"

COLUMNS = {
    "eventID": "VARCHAR",
    "eventTime": "TIMESTAMPTZ",
    "eventSource": "VARCHAR",
    "eventName": "VARCHAR",
    "sourceIPAddress": "VARCHAR",
    "errorCode": "VARCHAR",
    "errorMessage": "VARCHAR",
    "userIdentity": "STRUCT(type VARCHAR, principalId VARCHAR, arn VARCHAR, userName VARCHAR,"
    " invokedBy VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR)))",
    "requestParameters": "STRUCT(secretId VARCHAR, keyId VARCHAR)",
    "resources": "STRUCT(ARN VARCHAR)[]",
}

_SERVICE = "split_part(eventSource, '.', 1)"
_NAMED = "coalesce(requestParameters.secretId, requestParameters.keyId)"

EVENT = rf"""
    eventID AS request_id,
    'response' AS phase,
    eventTime AS time,
    CASE WHEN userIdentity.userName LIKE 'system:serviceaccount:%'
        THEN replace(substr(userIdentity.userName, 23), ':', '/')
        ELSE coalesce(userIdentity.arn, userIdentity.userName, userIdentity.invokedBy)
    END AS subject,
    userIdentity.principalId AS entity,
    userIdentity.sessionContext.sessionIssuer.arn AS role,
    userIdentity.type AS token_type,
    []::VARCHAR[] AS policies,
    []::VARCHAR[] AS granted_by,
    eventName AS operation,
    coalesce(
        resources[1].ARN,
        CASE WHEN {_NAMED} LIKE 'arn:%' THEN {_NAMED} ELSE {_SERVICE} || ':' || {_NAMED} END,
        {_SERVICE}
    ) AS path,
    {_SERVICE} AS mount,
    {_SERVICE} AS mount_type,
    sourceIPAddress AS address,
    CASE WHEN errorCode <> '' THEN errorCode || coalesce(
        ': ' || regexp_replace(trim(errorMessage), '\s*\n\s*', '; ', 'g'), ''
    ) END AS error,
    NULL::BIGINT AS status,
    NULL::VARCHAR AS lease_id
"""


def recognises(entry: Mapping[str, Any]) -> bool:
    """Whether a parsed line is one of CloudTrail's records."""
    return "eventVersion" in entry and "eventSource" in entry
