"""A Role that may read Secrets must name them.

`list` and `watch` return the contents of every Secret of the namespace, and `get` without
`resourceNames` reads any of them. Each entry of `rules` is judged by itself: a narrow first entry
does not excuse a wide second one.
Source: Kubernetes, "Good practices for Kubernetes Secrets"; CIS Kubernetes Benchmark 5.1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import UNKNOWN, Finding, Judgement, NotChecked, Rule, Severity

READS_ANY_SECRET = frozenset({"list", "watch", "*"})


def _check_entry(path: str, entry: Mapping[str, Any]) -> Iterator[Judgement]:
    fields: dict[str, list[Any]] = {}
    for key in ("apiGroups", "resources", "verbs", "resourceNames"):
        values = entry.get(key) or []
        if values is UNKNOWN or any(value is UNKNOWN for value in values):
            yield NotChecked(path=f"{path}.{key}")
            return
        fields[key] = list(values)
    in_core_group = {"", "*"} & set(fields["apiGroups"])
    if not (in_core_group and {"secrets", "*"} & set(fields["resources"])):
        return
    evidence = f"{path} grants {', '.join(fields['verbs'])} on {', '.join(fields['resources'])}"
    if wide := READS_ANY_SECRET & set(fields["verbs"]):
        yield Finding(
            evidence=f"{evidence}: {', '.join(sorted(wide))} returns every Secret's contents",
            fix=f"keep only get in {path}.verbs and name the Secrets in {path}.resourceNames",
        )
    elif "get" in fields["verbs"] and not fields["resourceNames"]:
        yield Finding(
            evidence=f"{evidence} without resourceNames",
            fix=f"name the Secrets in {path}.resourceNames",
        )


def check(properties: Mapping[str, Any]) -> Iterator[Judgement]:
    """Yield a finding for each entry of `rules` that reads Secrets it does not name."""
    entries = properties.get("rules") or []
    if entries is UNKNOWN:
        yield NotChecked(path="rules")
        return
    for index, entry in enumerate(entries):
        if entry is UNKNOWN:
            yield NotChecked(path=f"rules[{index}]")
        else:
            yield from _check_entry(f"rules[{index}]", entry)


SECRET_READS_ARE_NAMED = Rule(
    id="secret-reads-are-named",
    title="A Role that reads Secrets must name them and must not list or watch them.",
    severity=Severity.HIGH,
    frameworks=("CIS Kubernetes 5.1.2", "NIST SP 800-53 AC-6"),
    resource_types=frozenset(
        {
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        }
    ),
    remediation="Grant get on secrets with resourceNames, one Role for each consumer.",
    check=check,
)
