"""Entries of Vault's and OpenBao's audit devices: which there are, and what a row takes from one.

Owns the names of the fields (Vault documentation, "Audit entry schema"; OpenBao writes the same,
in another order) and the traps in them. Hashed values (tokens, accessors, data) are left where they
are: each device has its own salt, so that they compare with nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.schema import Phase

COLUMNS = {
    "time": "TIMESTAMPTZ",
    "type": "VARCHAR",
    "error": "VARCHAR",
    "auth": "STRUCT(display_name VARCHAR, entity_id VARCHAR, token_type VARCHAR,"
    " policies VARCHAR[], metadata STRUCT(service_account_namespace VARCHAR,"
    " service_account_name VARCHAR, role VARCHAR, role_name VARCHAR),"
    " policy_results STRUCT(granting_policies STRUCT(name VARCHAR)[]))",
    "request": "STRUCT(id VARCHAR, operation VARCHAR, path VARCHAR, mount_point VARCHAR,"
    " mount_type VARCHAR, remote_address VARCHAR, namespace STRUCT(path VARCHAR))",
    "response": "STRUCT(secret STRUCT(lease_id VARCHAR))",
}

# A display name is no identity by itself: every AppRole's is "approle", and a root token that root
# made is called "token". OpenBao gives a wrapping token the name of who asked for the wrapping, but
# whoever was handed it uses it: nobody known, as Vault says. The entry of a login's request may
# carry a token that the client still had: both log it so, and so does a row.
EVENT = r"""
    request.id AS request_id,
    type AS phase,
    time,
    CASE WHEN list_contains(auth.policies, 'root') THEN 'root'
    WHEN list_contains(auth.policies, 'response-wrapping') THEN NULL ELSE coalesce(
        auth.metadata.service_account_namespace || '/' || auth.metadata.service_account_name,
        auth.display_name || '/' || auth.metadata.role_name,
        nullif(auth.display_name, '')
    ) END AS subject,
    nullif(auth.entity_id, '') AS entity,
    coalesce(auth.metadata.role, auth.metadata.role_name) AS role,
    auth.token_type AS token_type,
    coalesce(auth.policies, []) AS policies,
    list_filter(
        list_transform(coalesce(auth.policy_results.granting_policies, []), lambda p: p.name),
        lambda name: name IS NOT NULL
    ) AS granted_by,
    request.operation AS operation,
    coalesce(request.namespace.path, '') || request.path AS path,
    request.mount_point AS mount,
    request.mount_type AS mount_type,
    nullif(request.remote_address, '') AS address,
    CASE WHEN error <> '' THEN regexp_replace(
        regexp_replace(error, '^\d+ errors? occurred:\s*\* |\s+$', '', 'g'),
        '\s*\n\s*(\* )?', '; ', 'g'
    ) END AS error,
    NULL::BIGINT AS status,
    nullif(response.secret.lease_id, '') AS lease_id
"""


def recognises(entry: Mapping[str, Any]) -> bool:
    """Whether a parsed line is an entry of an audit device."""
    return entry.get("type") in tuple(Phase) and isinstance(entry.get("request"), dict)
