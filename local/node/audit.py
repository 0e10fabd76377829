"""What the API server writes into its audit log. Owns the policy; the log is bounded by flags.

Logged, one line a call and never with a body: Secrets, tokens of service accounts, RBAC, and ways
into a running container. Everything else is left out, so that the log stays small and holds what a
reviewer asks for: leases, events, endpoints and health checks are most of what an API server does.
A watch by a part of Kubernetes is left out too; the list before it is not.
"""

from __future__ import annotations

from typing import Any

import yaml

MAX_MEGABYTES = 10  # of one file
MAX_OLD_FILES = 3

_PARTS_OF_KUBERNETES: tuple[dict[str, list[str]], ...] = (
    {"userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
    {"users": ["system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]},
)
_LOGGED = [
    {
        "group": "",
        "resources": [
            "secrets",
            "serviceaccounts/token",
            "pods/exec",
            "pods/attach",
            "pods/portforward",
            "pods/ephemeralcontainers",
        ],
    },
    {"group": "rbac.authorization.k8s.io"},
]


def policy() -> str:
    """The file for `--audit-policy-file`; the first rule that fits a call decides."""
    rules: list[dict[str, Any]] = [
        # The server makes its built-in roles at every start; nobody else has this name.
        {"level": "None", "users": ["system:apiserver"]},
        *({"level": "None", "verbs": ["watch"], **who} for who in _PARTS_OF_KUBERNETES),
        {"level": "Metadata", "resources": _LOGGED},
    ]
    return yaml.safe_dump(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            # The answer's line says all that the request's does.
            "omitStages": ["RequestReceived"],
            "rules": rules,
        },
        sort_keys=False,
    )
