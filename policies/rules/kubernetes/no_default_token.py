"""A pod should get a token of the API server only when somebody decided so.

The pod or its ServiceAccount says `automountServiceAccountToken`; silence means yes. A pod that
logs in to Vault takes a projected token with Vault's audience, not this one.
Source: CIS Kubernetes Benchmark 5.1.6; CKV_K8S_38.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from policies.pods import POD_TYPES, WHOLE_PODS, parts, pod_spec
from policies.resource_types import SERVICE_ACCOUNT
from policies.rule import (
    ADVISED,
    Finding,
    Judgement,
    Resource,
    Severity,
    StackRule,
    each,
    each_resource,
    of_type,
)
from policies.view import View

PODS = POD_TYPES | WHOLE_PODS
WHAT_DECIDES = frozenset({"containers", "templates"})
COMPONENTS = ("spec.explainer", "spec.predictor", "spec.transformer")
"""Pods of KServe's, also where a model stands for the containers."""
SWITCH = "automountServiceAccountToken"


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for each pod that gets a token because nobody said no."""
    decided = {
        _key(account.view["metadata"]["namespace"].text(), account.view["metadata"]["name"].text())
        for account in of_type(resources, SERVICE_ACCOUNT)
        if account.view[SWITCH].flag() is not None
    }

    def judge(workload: Resource) -> Iterator[Judgement]:
        if workload.type in POD_TYPES:
            yield from judge_pod(workload, pod_spec(workload.view))
        else:
            yield from each(parts(workload.view, containers=False), partial(judge_part, workload))

    def judge_part(workload: Resource, part: View) -> Iterator[Judgement]:
        if _decides(part):
            yield from judge_pod(workload, part)

    def judge_pod(workload: Resource, pod: View) -> Iterator[Judgement]:
        account = pod["serviceAccountName"].text() or "default"
        key = _key(workload.view["metadata"]["namespace"].text(), account)
        if pod[SWITCH].flag() is None and key not in decided:
            yield Finding(
                evidence=f"{pod.path}.{SWITCH} is not set, nor on ServiceAccount {account!r} here",
                fix=f"set {SWITCH} to false, or to true where the pod calls the API server",
            )

    yield from each_resource(resources, judge)


def _decides(part: View) -> bool:
    """Whether it is a pod in another operator's kind, or a workflow with the pods of all steps."""
    steps = part.path.endswith(".containerSet")
    return part.path in COMPONENTS or not (steps or WHAT_DECIDES.isdisjoint(part.value))


def _key(namespace: str, account: str) -> tuple[str, str]:
    return namespace or "default", account


RULE = StackRule(
    id="pod-no-default-token",
    title="A pod must get an API token only when somebody decided so.",
    severity=Severity.MEDIUM,
    frameworks=("CIS Kubernetes 5.1.6",),
    resource_types=PODS | {SERVICE_ACCOUNT},
    remediation="Switch the mount off on the ServiceAccount; on in the few pods that need it.",
    levels=ADVISED,
    check=check,
)
