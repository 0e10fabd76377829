"""A Role must not give what reads Secrets by another way.

A token of another account, a shell in another pod, the node's own API, a webhook in every request's
way: each ends where `get secrets` does. A token of named accounts is no finding: it is how External
Secrets Operator logs in for a store.
Source: Kubernetes, "RBAC good practices"; CIS Kubernetes Benchmark 5.1.8 to 5.1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rbac import ROLES, Entry
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

RBAC, CORE = "rbac.authorization.k8s.io", ""
ADMISSION, CERTIFICATES = "admissionregistration.k8s.io", "certificates.k8s.io"
ANY_USE = frozenset({"create", "get", "update", "patch", "delete"})
WRITE = frozenset({"create", "update", "patch"})
CREATE = frozenset({"create"})

# (group, resource, verbs, whether resourceNames make it harmless)
WAYS: tuple[tuple[str, str, frozenset[str], bool], ...] = (
    (RBAC, "roles", frozenset({"escalate", "bind"}), False),
    (RBAC, "clusterroles", frozenset({"escalate", "bind"}), True),
    (CORE, "users", frozenset({"impersonate"}), False),
    (CORE, "groups", frozenset({"impersonate"}), False),
    (CORE, "serviceaccounts", frozenset({"impersonate"}), False),
    (CORE, "serviceaccounts/token", CREATE, True),
    (CORE, "pods/exec", ANY_USE, False),
    (CORE, "pods/attach", ANY_USE, False),
    (CORE, "pods/ephemeralcontainers", WRITE, False),
    (CORE, "nodes/proxy", ANY_USE, False),
    (CORE, "persistentvolumes", CREATE, False),
    (ADMISSION, "mutatingwebhookconfigurations", WRITE, True),
    (ADMISSION, "validatingwebhookconfigurations", WRITE, True),
    (CERTIFICATES, "certificatesigningrequests/approval", WRITE, False),
    (CERTIFICATES, "signers", frozenset({"approve", "sign"}), True),
)


def _entry(view: View) -> Iterator[Judgement]:
    entry = Entry.read(view)
    for group, resource, verbs, named_is_fine in WAYS:
        given = entry.given(group, resource, verbs)
        if given and not (named_is_fine and entry.names):
            yield Finding(
                evidence=f"{entry}, which includes {resource}",
                fix=f"remove {', '.join(given)} on {resource} from {entry.path}",
            )
            return


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each entry of `rules` that opens a way."""
    yield from each_of(role["rules"], _entry)


RULE = Rule(
    id="rbac-no-escalation",
    title="A Role must not give access to Secrets by another way.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.1.8", "NIST SP 800-53 AC-6(10)"),
    resource_types=ROLES,
    remediation="Name the objects, or leave the task to a controller with a Role of its own.",
    check=check,
)
