"""A Google service account that Kubernetes accounts act as must name each of them.

A principal set of the whole pool, or of a namespace, lets in accounts that anybody makes there.
Source: Google Cloud, "Workload Identity Federation for GKE", principal identifiers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.gcp_members import bindings
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

ROLES = frozenset({"roles/iam.workloadIdentityUser", "roles/iam.serviceAccountTokenCreator"})
_EXACT = re.compile(
    r"serviceAccount:[a-z0-9-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9-]+\]"
    r"|serviceAccount:[a-z0-9-]+@[\w.-]+"
    r"|principal://[^*\s]+/subject/[^*\s]+"
)


def _member(member: View) -> Iterator[Judgement]:
    if not _EXACT.fullmatch(member.text()):
        yield Finding(
            evidence=f"{member.path} is {member.text()!r}",
            fix="name serviceAccount:PROJECT.svc.id.goog[NAMESPACE/ACCOUNT]",
        )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each member that is more than one account."""
    for role, members in bindings(properties):
        if role in ROLES:
            yield from each_of(members, _member)


RULE = Rule(
    id="gcp-workload-identity-is-exact",
    title="A binding of workload identity must name each account.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 IA-9", "NIST SP 800-53 AC-3"),
    resource_types=frozenset(
        f"gcp:serviceaccount/iAM{kind}:IAM{kind}" for kind in ("Member", "Binding", "Policy")
    ),
    remediation="One binding for each Kubernetes service account.",
    check=check,
)
