"""A Kubernetes auth role must name the service accounts and the namespaces that may log in.

`*` in either list lets every pod of the cluster, or of a namespace anybody can make, log in. A
selector of namespaces by label hands that decision to whoever labels namespaces.
Source: HashiCorp, "Kubernetes auth method"; the wildcards found in most public programs.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import KUBERNETES_ROLE
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

LISTS = ("boundServiceAccountNames", "boundServiceAccountNamespaces")


def _entry(entry: View) -> Iterator[Judgement]:
    if "*" in entry.text():
        yield Finding(
            evidence=f"{entry.path} is {entry.text()!r}",
            fix=f"name each one in {entry.path.partition('[')[0]}",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each wildcard, and for namespaces chosen by label."""
    for name in LISTS:
        yield from each_of(role[name], _entry)
    if role["boundServiceAccountNamespaceSelector"].given:
        yield Finding(
            evidence="boundServiceAccountNamespaceSelector chooses namespaces by their labels",
            fix="name the namespaces in boundServiceAccountNamespaces",
        )


RULE = Rule(
    id="vault-role-bound-accounts",
    title="A Kubernetes auth role must name its service accounts and namespaces.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 AC-3", "NIST SP 800-53 IA-9"),
    resource_types=frozenset({KUBERNETES_ROLE}),
    remediation="List the accounts and namespaces of one workload; make a role for each.",
    check=check,
)
