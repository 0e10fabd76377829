"""A namespace must say which Pod Security level it enforces.

Without the label the cluster's default applies, which is `privileged` on an ordinary cluster: any
pod may then mount the node's disk and read every secret on it.
Source: Kubernetes, "Pod Security Admission"; CIS Kubernetes Benchmark 5.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import UNKNOWN, Finding, Judgement, NotChecked, Rule, Severity

ENFORCE = "pod-security.kubernetes.io/enforce"
LEVELS = ("restricted", "baseline", "privileged")


def check(properties: Mapping[str, Any]) -> Iterator[Judgement]:
    """Yield a finding when the enforce label is missing or names no level."""
    level: Any = properties
    for key in ("metadata", "labels", ENFORCE):
        level = level.get(key) if isinstance(level, Mapping) else level
    fix = f"set metadata.labels[{ENFORCE!r}] to one of {', '.join(LEVELS)}"
    if level is UNKNOWN:
        yield NotChecked(path=f"metadata.labels.{ENFORCE}")
    elif level is None:
        yield Finding(evidence=f"metadata.labels has no {ENFORCE}", fix=fix)
    elif level not in LEVELS:
        yield Finding(evidence=f"{ENFORCE} is {level!r}, which is no level", fix=fix)


NAMESPACE_POD_SECURITY = Rule(
    id="namespace-pod-security",
    title="A namespace must enforce a Pod Security level.",
    severity=Severity.HIGH,
    frameworks=("CIS Kubernetes 5.2.1", "NIST SP 800-53 AC-6"),
    resource_types=frozenset({"kubernetes:core/v1:Namespace"}),
    remediation=f"Label the namespace with {ENFORCE}: restricted, or a wider level it needs.",
    check=check,
)
