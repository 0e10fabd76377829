"""A Role must write out its groups, resources and verbs, in every entry.

A wildcard also grants what a later version of Kubernetes, or a new custom resource, adds.
Source: CIS Kubernetes Benchmark 5.1.3; CKV_K8S_49, which reads the first entry only.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rbac import ROLES
from policies.rule import Finding, Judgement, Rule, Severity, each_of
from policies.view import View

LISTS = ("apiGroups", "resources", "verbs", "nonResourceURLs")


def _entry(entry: View) -> Iterator[Judgement]:
    wild = [key for key in LISTS if any("*" in value for value in entry[key].strings())]
    if wild:
        yield Finding(
            evidence=f"{entry.path} has a wildcard in {', '.join(wild)}",
            fix=f"write out {', '.join(wild)} of {entry.path}",
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each entry of `rules` with a wildcard."""
    yield from each_of(role["rules"], _entry)


RULE = Rule(
    id="rbac-no-wildcards",
    title="A Role must not use wildcards.",
    severity=Severity.HIGH,
    frameworks=("CIS Kubernetes 5.1.3", "NIST SP 800-53 AC-6"),
    resource_types=ROLES,
    remediation="List what the workload calls; the API server's audit log shows it.",
    check=check,
)
