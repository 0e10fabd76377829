"""Events of a Kubernetes API server's audit log: what a row takes from one.

Owns the names of the fields (`audit.k8s.io/v1`, Kubernetes documentation, "Auditing"). The log
backend writes one event a line, the webhook backend an EventList; both are read. A watch is
answered at its start and at its end: one row when both are within a minute, else two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIST = "items"

COLUMNS = {
    "auditID": "VARCHAR",
    "stage": "VARCHAR",
    "stageTimestamp": "TIMESTAMPTZ",
    "verb": "VARCHAR",
    "requestURI": "VARCHAR",
    "user": "STRUCT(username VARCHAR, uid VARCHAR)",
    "sourceIPs": "VARCHAR[]",
    "objectRef": "STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, subresource VARCHAR)",
    "responseStatus": "STRUCT(code INTEGER, reason VARCHAR, message VARCHAR)",
}

EVENT = r"""
    auditID AS request_id,
    CASE WHEN stage = 'RequestReceived' THEN 'request' ELSE 'response' END AS phase,
    stageTimestamp AS time,
    CASE WHEN "user".username LIKE 'system:serviceaccount:%'
        THEN replace(substr("user".username, 23), ':', '/')
        ELSE nullif("user".username, '')
    END AS subject,
    "user".uid AS entity,
    NULL::VARCHAR AS role,
    NULL::VARCHAR AS token_type,
    []::VARCHAR[] AS policies,
    []::VARCHAR[] AS granted_by,
    verb AS operation,
    CASE WHEN objectRef.resource IS NULL THEN split_part(requestURI, '?', 1)
        ELSE concat_ws(
            '/',
            'k8s:' || CASE WHEN objectRef.resource = 'secrets' AND objectRef.namespace <> ''
                THEN objectRef.namespace
                ELSE concat_ws('/', objectRef.resource, nullif(objectRef.namespace, '')) END,
            nullif(objectRef.name, ''),
            nullif(objectRef.subresource, '')
        )
    END AS path,
    objectRef.resource AS mount,
    objectRef.resource AS mount_type,
    sourceIPs[1] AS address,
    CASE WHEN responseStatus.code >= 400 THEN coalesce(
        regexp_replace(nullif(trim(responseStatus.message), ''), '\s*\n\s*', '; ', 'g'),
        nullif(responseStatus.reason, ''),
        'HTTP status ' || responseStatus.code
    ) END AS error,
    NULL::VARCHAR AS lease_id
"""


def recognises(entry: Mapping[str, Any]) -> bool:
    """Whether a parsed line is an audit event."""
    return str(entry.get("apiVersion", "")).startswith("audit.k8s.io/") and "auditID" in entry
