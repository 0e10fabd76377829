"""A namespace must say which Pod Security level it enforces.

Without the label the cluster's default applies, which is `privileged` on an ordinary cluster: any
pod may then mount the node's disk and read every secret on it.
Source: Kubernetes, "Pod Security Admission"; CIS Kubernetes Benchmark 5.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Finding, Judgement, Rule, Severity
from policies.view import View

ENFORCE = "pod-security.kubernetes.io/enforce"
LEVELS = ("restricted", "baseline", "privileged")


def check(namespace: View) -> Iterator[Judgement]:
    """Yield a finding when the enforce label is missing or names no level."""
    level = namespace.at("metadata", "labels", ENFORCE)
    fix = f"set metadata.labels[{ENFORCE!r}] to one of {', '.join(LEVELS)}"
    if not level.text():
        yield Finding(evidence=f"metadata.labels has no {ENFORCE}", fix=fix)
    elif level.text() not in LEVELS:
        yield Finding(evidence=f"{ENFORCE} is {level.text()!r}, which is no level", fix=fix)


RULE = Rule(
    id="namespace-pod-security",
    title="A namespace must enforce a Pod Security level.",
    severity=Severity.HIGH,
    frameworks=("CIS Kubernetes 5.2.1", "NIST SP 800-53 AC-6"),
    resource_types=frozenset({"kubernetes:core/v1:Namespace"}),
    remediation=f"Label the namespace with {ENFORCE}: restricted, or a wider level it needs.",
    check=check,
)
