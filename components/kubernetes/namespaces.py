"""Namespaces that start closed: a Pod Security level enforced, all traffic denied.

Owns the namespaces and their default-deny policies. What a namespace is then allowed is opened by
network_policy.py and workload_rbac.py. The default denies everything, DNS included.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import VAULT_AGENT, standard_labels
from components.kubernetes.network_policy import default_deny

POD_SECURITY = "pod-security.kubernetes.io"


class PodSecurityLevel(StrEnum):
    """Kubernetes' Pod Security Standards, narrowest first."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    """One namespace. `purpose` is kept as an annotation for reviewers.

    `vault_agent` opts its pods in to the agent injector.
    """

    name: str
    purpose: str
    level: PodSecurityLevel = PodSecurityLevel.RESTRICTED
    vault_agent: bool = False


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """`policy_version` pins the Pod Security rules ("v1.34"), so that an upgrade of the cluster
    does not change what is refused. `protect` keeps the namespaces from being deleted."""

    namespaces: tuple[NamespaceArgs, ...]
    policy_version: str = "v1.34"
    protect: bool = False

    def __post_init__(self) -> None:
        names = [namespace.name for namespace in self.namespaces]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(
                f"namespaces: {', '.join(repeated)} given more than once; two resources would "
                "fight over one namespace. Name each once."
            )


class Namespaces(pulumi.ComponentResource):
    """Produces a Namespace and a NetworkPolicy that denies everything, for each entry."""

    names: dict[str, pulumi.Output[str]]
    """Each namespace's name as an Output: what uses it waits until the namespace exists."""

    def __init__(
        self, name: str, args: NamespacesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:Namespaces", name, {}, opts)
        self.names = {}
        for entry in args.namespaces:
            namespace = k8s.core.v1.Namespace(
                f"{name}-{entry.name}",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=entry.name,
                    labels=standard_labels(
                        "namespace",
                        pod_security_labels(entry.level, args.policy_version)
                        | (VAULT_AGENT if entry.vault_agent else {}),
                    ),
                    annotations={"strongroom.dev/purpose": entry.purpose},
                ),
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            )
            created: pulumi.Output[str] = namespace.metadata.name
            default_deny(f"{name}-{entry.name}-default-deny", namespace=created, parent=self)
            self.names[entry.name] = created
        self.register_outputs({"names": self.names})


def pod_security_labels(level: PodSecurityLevel, version: str) -> dict[str, str]:
    """The labels that enforce `level`, and audit and warn at it, under pinned rules."""
    modes = ("enforce", "audit", "warn")
    return {
        **{f"{POD_SECURITY}/{mode}": str(level) for mode in modes},
        **{f"{POD_SECURITY}/{mode}-version": version for mode in modes},
    }
