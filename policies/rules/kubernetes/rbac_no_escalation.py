"""A Role must not give what reads Secrets by another way.

A token of another account, a shell in another pod, the node's own API, a webhook in every request's
way: each ends where `get secrets` does. A token of named accounts is no finding: it is how External
Secrets Operator logs in for a store. A ClusterRole that gathers Kubernetes' own roles by label has
what they have, though its rules are empty.
Source: Kubernetes, "RBAC good practices"; CIS Kubernetes Benchmark 5.1.8 to 5.1.13.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rbac import ROLES, Entry, is_administrator
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View

RBAC, CORE = "rbac.authorization.k8s.io", ""
ADMISSION, CERTIFICATES = "admissionregistration.k8s.io", "certificates.k8s.io"
ANY_USE = frozenset({"create", "get", "update", "patch", "delete"})
WRITE = frozenset({"create", "update", "patch"})
CREATE = frozenset({"create"})

# (group, resource, verbs, whether resourceNames make it harmless)
WAYS: tuple[tuple[str, str, frozenset[str], bool], ...] = (
    (RBAC, "roles", frozenset({"escalate", "bind"}), False),
    (RBAC, "clusterroles", frozenset({"escalate"}), False),
    (RBAC, "clusterroles", frozenset({"bind"}), True),
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
    (ADMISSION, "mutatingadmissionpolicies", WRITE, True),
    (CERTIFICATES, "certificatesigningrequests/approval", WRITE, False),
    (CERTIFICATES, "signers", frozenset({"approve", "sign"}), True),
)
# The labels of Kubernetes' own roles, by which `admin` and `edit` gather theirs.
OWN_LABELS = frozenset(
    {
        "kubernetes.io/bootstrapping",
        "rbac.authorization.k8s.io/aggregate-to-admin",
        "rbac.authorization.k8s.io/aggregate-to-edit",
    }
)


def _entry(view: View) -> Iterator[Judgement]:
    entry = Entry.read(view)
    for group, resource, verbs, named_is_fine in WAYS:
        given = entry.given(group, resource, verbs)
        named = named_is_fine and entry.names and not any(map(is_administrator, entry.names))
        if given and not named:
            yield Finding(
                evidence=f"{entry}, which includes {resource}",
                fix=f"remove {', '.join(given)} on {resource} from {entry.path}",
            )
            return


def _selector(selector: View) -> Iterator[Judgement]:
    labels = {key for key, _ in selector["matchLabels"].items()}
    if not labels or labels & OWN_LABELS:
        yield Finding(
            evidence=f"{selector.path} gathers the rules of Kubernetes' own roles",
            fix=f"select by a label of your own in {selector.path}.matchLabels",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each entry of `rules`, and each gathering, that opens a way."""
    yield from each_of(role["rules"], _entry)
    yield from each(
        [role["aggregationRule"]], lambda rule: each_of(rule["clusterRoleSelectors"], _selector)
    )


RULE = Rule(
    id="rbac-no-escalation",
    title="A Role must not give access to Secrets by another way.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.1.8", "NIST SP 800-53 AC-6(10)"),
    resource_types=ROLES,
    remediation="Name the objects, or leave the task to a controller with a Role of its own.",
    check=check,
)
