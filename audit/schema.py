"""The tables that every report reads: events, one row per entry; problems; and activity.

Owns names, types and meaning of the columns. How a row comes from a log is told in `audit.vault`,
`audit.cloudtrail` and `audit.kubernetes`; where the rows are kept, in `audit.store`.

`events`, one row per entry of a log, each entry once whichever devices and copies it was read from:

| column | meaning |
|---|---|
| `source` | `vault` (OpenBao too), `cloudtrail` or `kubernetes` |
| `request_id` | Vault `request.id`, CloudTrail `eventID`, Kubernetes `auditID`; joins the two phases |
| `phase` | `request` or `response`. CloudTrail has responses only |
| `time` | when the entry was made, UTC, microseconds |
| `subject` | who: `namespace/service-account`; else `approle/role`; else the display name (`root`, `userpass-ada`), ARN or user name. NULL: nobody known, as with a bad or missing token |
| `entity` | Vault entity, CloudTrail principal, Kubernetes uid; NULL without one |
| `role` | the auth role that logged in, or the assumed IAM role's ARN; NULL without one |
| `token_type` | `service`, `batch`, `default` in Vault; the identity's type in CloudTrail; else NULL |
| `policies` | names of the token's policies; empty outside Vault |
| `granted_by` | names of the policies that allowed the request; empty outside Vault and for logins |
| `operation` | Vault's own (`read`, `update`, …), the CloudTrail event name or Kubernetes verb |
| `path` | Vault path with its namespace; `arn:…` or `cloudtrail:service`; `k8s:namespace/name` for a Secret, `k8s:resource/namespace/name` for others |
| `mount`, `mount_type` | `secret/` and `kv`; the service in CloudTrail; the resource in Kubernetes |
| `address` | the client's address as the server saw it; NULL for what came from nowhere |
| `error` | the first line of the error; NULL when there was none. A denial is an error |
| `lease_id` | the lease that a response handed out, else NULL |
| `device` | the stream of files that the entry was read from first, such as `/logs/audit.log` |
| `file`, `line` | the evidence: path as it was read, and line number from 1 |

`problems`, one row per line that could not be read: `file`, `line`, `reason`. Never the line.

`activity`, per `device` and `minute`: `entries`, counted before entries of several devices are made
one, so that a device that falls silent shows.
"""

from __future__ import annotations

from enum import StrEnum

import ibis


class Source(StrEnum):
    """What wrote a log."""

    VAULT = "vault"
    CLOUDTRAIL = "cloudtrail"
    KUBERNETES = "kubernetes"


class Phase(StrEnum):
    """Which half of a call an entry tells."""

    REQUEST = "request"
    RESPONSE = "response"


EVENTS = ibis.schema(
    {
        "source": "string",
        "request_id": "string",
        "phase": "string",
        "time": "timestamp('UTC')",
        "subject": "string",
        "entity": "string",
        "role": "string",
        "token_type": "string",
        "policies": "array<string>",
        "granted_by": "array<string>",
        "operation": "string",
        "path": "string",
        "mount": "string",
        "mount_type": "string",
        "address": "string",
        "error": "string",
        "lease_id": "string",
        "device": "string",
        "file": "string",
        "line": "int64",
    }
)

PROBLEMS = ibis.schema({"file": "string", "line": "int64", "reason": "string"})

ACTIVITY = ibis.schema({"device": "string", "minute": "timestamp('UTC')", "entries": "int64"})
