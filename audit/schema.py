"""The tables that every report reads: events, one row per entry; problems; and activity.

Owns names, types and meaning of the columns. How a row comes from a log is told in `audit.vault`,
`audit.cloudtrail` and `audit.kubernetes`; where the rows are kept, in `audit.store`.

`events`: one row per entry of a log, each entry once, whichever devices and copies it came from.

- `source`: `vault` (OpenBao too), `cloudtrail` or `kubernetes`
- `request_id`: Vault `request.id`, CloudTrail `eventID`, Kubernetes `auditID`; joins both phases
- `phase`: `request` or `response`; CloudTrail has responses only
- `time`: when the entry was made, UTC, microseconds
- `subject`: who: `root` for every root token; else `namespace/service-account`; else
  `approle/role`; else the display name (`userpass-ada`), ARN or user name. NULL: nobody known,
  as with a bad, a missing or a wrapping token
- `entity`: Vault entity, CloudTrail principal, Kubernetes uid; NULL without one
- `role`: the auth role that logged in, the assumed IAM role, or the user that a Kubernetes caller
  acted as; NULL without one
- `token_type`: `service`, `batch`, `default` in Vault; the identity's type in CloudTrail; or NULL
- `policies`: names of the token's policies; empty outside Vault
- `granted_by`: names of the policies that allowed the request; empty outside Vault, for logins
  and for refused requests
- `operation`: Vault's own (`read`, `update`), the CloudTrail event name, or the Kubernetes verb
- `path`: Vault path, its namespace in front; CloudTrail `arn:…`, else the service; Kubernetes
  `k8s:namespace/name` for a Secret, `k8s:namespace/` for a call to all its Secrets, else
  `k8s:resource/namespace/name`
- `mount`, `mount_type`: `secret/` and `kv`; both the service in CloudTrail, the resource in
  Kubernetes; NULL when Vault knew none
- `address`: the client's address as the server saw it; in Kubernetes the last of `sourceIPs`
  (behind a load balancer the balancer's); NULL for what the server did by itself
- `error`: the error in one line; NULL when there was none. A denial is an error; that something is
  not there is none, neither in Vault nor in Kubernetes
- `status`: the HTTP status of Kubernetes' answer; NULL elsewhere
- `lease_id`: the lease that a response handed out; or NULL
- `device`: the stream of files that the entry was read from first, such as `/logs/audit.log`
- `file`, `line`: the evidence: the path as it was read, and the line, from 1 (in a file of
  CloudTrail's or of an EventList, the record, from 1)

`problems`: one row per line that could not be read, with the reason. Never the line itself.

`activity`: entries per `device` and `minute`, counted before the entries of several devices are
made one, so that a device that falls silent shows.
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
        "status": "int64",
        "lease_id": "string",
        "device": "string",
        "file": "string",
        "line": "int64",
    }
)

PROBLEMS = ibis.schema({"file": "string", "line": "int64", "reason": "string"})

ACTIVITY = ibis.schema({"device": "string", "minute": "timestamp('UTC')", "entries": "int64"})
