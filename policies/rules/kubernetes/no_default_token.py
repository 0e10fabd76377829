"""A pod should get a token of the API server only when somebody decided so.

The pod or its ServiceAccount says `automountServiceAccountToken`; silence means yes. A pod that
logs in to Vault takes a projected token with Vault's audience, not this one.
Source: CIS Kubernetes Benchmark 5.1.6; CKV_K8S_38.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.resource_types import POD_TYPES, SERVICE_ACCOUNT, pod_spec
from policies.rule import (
    ADVISED,
    Finding,
    Judgement,
    Resource,
    Severity,
    StackRule,
    each_resource,
    of_type,
)

SWITCH = "automountServiceAccountToken"


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each pod that gets a token because nobody said no."""
    decided = {
        _key(account.view["metadata"]["namespace"].text(), account.view["metadata"]["name"].text())
        for account in of_type(resources, SERVICE_ACCOUNT)
        if account.view[SWITCH].flag() is not None
    }

    def judge(workload: Resource) -> Iterator[Judgement]:
        pod = pod_spec(workload.view)
        account = pod["serviceAccountName"].text() or "default"
        key = _key(workload.view["metadata"]["namespace"].text(), account)
        if pod[SWITCH].flag() is None and key not in decided:
            yield Finding(
                evidence=f"{pod.path}.{SWITCH} is not set, nor on ServiceAccount {account!r} here",
                fix=f"set {SWITCH} to false, or to true where the pod calls the API server",
            )

    yield from each_resource((each for each in resources if each.type in POD_TYPES), judge)


def _key(namespace: str, account: str) -> tuple[str, str]:
    return namespace or "default", account


RULE = StackRule(
    id="pod-no-default-token",
    title="A pod must get an API token only when somebody decided so.",
    severity=Severity.MEDIUM,
    frameworks=("CIS Kubernetes 5.1.6",),
    resource_types=POD_TYPES | {SERVICE_ACCOUNT},
    remediation="Switch the mount off on the ServiceAccount; on in the few pods that need it.",
    levels=ADVISED,
    check=check,
)
