"""Nobody is bound to an administrator's role, and no role is bound to everybody.

Source: Kubernetes, "RBAC good practices"; CIS Kubernetes Benchmark 5.1.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rbac import is_administrator
from policies.resource_types import CLUSTER_ROLE_BINDING, ROLE_BINDING, with_patches
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View

EVERYBODY = frozenset(
    {
        "system:anonymous",
        "system:unauthenticated",
        "system:authenticated",
        "system:serviceaccounts",
        "system:masters",
        "*",
    }
)
# Every account of one namespace, also those made tomorrow.
NAMESPACE_GROUP = "system:serviceaccounts:"


def _subject(subject: View) -> Iterator[Judgement]:
    name = subject["name"].text()
    if name in EVERYBODY or name.startswith(NAMESPACE_GROUP):
        yield Finding(
            evidence=f"{subject.path} is {subject['kind'].text()} {name!r}",
            fix="bind each service account by name",
        )


def _role(reference: View) -> Iterator[Judgement]:
    if is_administrator(name := reference["name"].text()):
        yield Finding(
            evidence=f"roleRef names {name}", fix="write a Role with what the workload calls"
        )


def check(binding: View) -> Iterator[Judgement]:
    """Yield a finding for an administrator's role, and for each subject that is many."""
    yield from each([binding["roleRef"]], _role)
    yield from each_of(binding["subjects"], _subject)


RULE = Rule(
    id="rbac-no-admin-binding",
    title="A binding must not give an administrator's role, nor bind everybody.",
    severity=Severity.CRITICAL,
    frameworks=("CIS Kubernetes 5.1.1", "NIST SP 800-53 AC-6"),
    resource_types=with_patches(ROLE_BINDING, CLUSTER_ROLE_BINDING),
    remediation="One binding for each account, to a Role of its own.",
    check=check,
)
