"""Events of a Kubernetes API server's audit log: what a row takes from one.

Owns the names of the fields (`audit.k8s.io/v1`, Kubernetes documentation, "Auditing"). The log
backend writes one event a line, the webhook backend an EventList; both are read. A watch and an
exec are answered at their start and at their end: one row, which has the time of the start.

An event's user is who the credential belongs to; whom it acted as is the row's role, as with a role
that was assumed. Of its addresses only the last is what the server saw: those before it are what
the client put into X-Forwarded-For. A call to all Secrets of a namespace, such as a list, has the
path of the namespace with a slash, as with Vault: `k8s:ml/*` means it too, since it gives them all.

That there is no such object (404, 410) or already one (409) is an answer, and no error: Vault has
none either when it is asked for a secret that does not exist. Every other code from 400 on is one:
besides 401 and 403, admission refuses with 400 and 422, and a failed read gave nobody anything.
The row's status tells that a write did nothing.
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
    "impersonatedUser": "STRUCT(username VARCHAR)",
    "sourceIPs": "VARCHAR[]",
    "objectRef": "STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, subresource VARCHAR)",
    "responseStatus": "STRUCT(code INTEGER, reason VARCHAR, message VARCHAR)",
}
# Codes that answer what there is: see above.
_ANSWERS = (404, 409, 410)


def _named(user: str) -> str:
    """SQL: a service account as the access matrix writes it, any other name as it is."""
    return f"""CASE WHEN {user} LIKE 'system:serviceaccount:%'
        THEN replace(substr({user}, 23), ':', '/')
        ELSE nullif({user}, '')
    END"""


EVENT = rf"""
    auditID AS request_id,
    CASE WHEN stage = 'RequestReceived' THEN 'request' ELSE 'response' END AS phase,
    stageTimestamp AS time,
    {_named('"user".username')} AS subject,
    "user".uid AS entity,
    {_named("impersonatedUser.username")} AS role,
    NULL::VARCHAR AS token_type,
    []::VARCHAR[] AS policies,
    []::VARCHAR[] AS granted_by,
    verb AS operation,
    CASE WHEN objectRef.resource IS NULL THEN split_part(requestURI, '?', 1)
        ELSE concat_ws(
            '/',
            'k8s:' || CASE WHEN objectRef.resource = 'secrets' AND objectRef.namespace <> ''
                THEN objectRef.namespace ||
                    CASE WHEN nullif(objectRef.name, '') IS NULL THEN '/' ELSE '' END
                ELSE concat_ws('/', objectRef.resource, nullif(objectRef.namespace, '')) END,
            nullif(objectRef.name, ''),
            nullif(objectRef.subresource, '')
        )
    END AS path,
    objectRef.resource AS mount,
    objectRef.resource AS mount_type,
    sourceIPs[-1] AS address,
    CASE WHEN responseStatus.code >= 400 AND responseStatus.code NOT IN {_ANSWERS} THEN coalesce(
        regexp_replace(nullif(trim(responseStatus.message), ''), '\s*\n\s*', '; ', 'g'),
        nullif(responseStatus.reason, ''),
        'HTTP status ' || responseStatus.code
    ) END AS error,
    responseStatus.code::BIGINT AS status,
    NULL::VARCHAR AS lease_id
"""


def recognises(entry: Mapping[str, Any]) -> bool:
    """Whether a parsed line is an audit event."""
    return str(entry.get("apiVersion", "")).startswith("audit.k8s.io/") and "auditID" in entry
