"""Builders of NetworkPolicies: who may talk to whom, one policy for each reason.

Owns the shape of rules and policies; which of them exist is decided by network_access.py. A policy
takes effect only under a network plugin that enforces it: Calico, Cilium or a cloud's own. The
bridge plugin of the `local` environment enforces none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.networking import v1 as net

from components.kubernetes.labels import standard_labels

NAMESPACE_NAME = "kubernetes.io/metadata.name"


class Protocol(StrEnum):
    """Transport protocols."""

    TCP = "TCP"
    UDP = "UDP"


@dataclass(frozen=True, kw_only=True)
class Peers:
    """One end of a rule: pods with `labels` in `namespaces` (none: the policy's own), or `cidrs`.

    `labels` empty means every pod of those namespaces.
    """

    namespaces: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    cidrs: tuple[str, ...] = ()

    def build(self) -> list[net.NetworkPolicyPeerArgs]:
        """The peers as Kubernetes has them."""
        if self.cidrs:
            return [
                net.NetworkPolicyPeerArgs(ip_block=net.IPBlockArgs(cidr=cidr))
                for cidr in self.cidrs
            ]
        pods = k8s.meta.v1.LabelSelectorArgs(match_labels=self.labels)
        if not self.namespaces:
            return [net.NetworkPolicyPeerArgs(pod_selector=pods)]
        selectors = [
            k8s.meta.v1.LabelSelectorArgs(match_labels={NAMESPACE_NAME: namespace})
            for namespace in self.namespaces
        ]
        return [
            net.NetworkPolicyPeerArgs(namespace_selector=selector, pod_selector=pods)
            for selector in selectors
        ]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Traffic that is let through: to or from `peers`, on `ports` of `protocols`.

    Raises ValueError without ports: that would open every port.
    """

    peers: Peers
    ports: tuple[int, ...]
    protocols: tuple[Protocol, ...] = (Protocol.TCP,)

    def __post_init__(self) -> None:
        if not self.ports:
            raise ValueError(
                "ports: none given; a rule without ports opens all of them. Name the ports."
            )

    def build_ports(self) -> list[net.NetworkPolicyPortArgs]:
        """The ports as Kubernetes has them."""
        return [
            net.NetworkPolicyPortArgs(protocol=str(protocol), port=port)
            for protocol in self.protocols
            for port in self.ports
        ]


DNS = Flow(
    peers=Peers(namespaces=("kube-system",)),
    ports=(53,),
    protocols=(Protocol.UDP, Protocol.TCP),
)

# Where pods on GKE ask who they are, under Calico and under Dataplane V2. It answers with a pod's
# own identity only. Source: Google Cloud, "Workload Identity Federation for GKE".
GOOGLE_METADATA = (
    Flow(peers=Peers(cidrs=("169.254.169.252/32",)), ports=(987, 988)),
    Flow(peers=Peers(cidrs=("169.254.169.254/32",)), ports=(80, 8080)),
)


def default_deny(
    name: str, *, namespace: pulumi.Input[str], parent: pulumi.Resource
) -> net.NetworkPolicy:
    """Deny all traffic of every pod of `namespace`, in and out."""
    return _policy(
        name,
        "default-deny",
        namespace,
        parent,
        net.NetworkPolicySpecArgs(
            pod_selector=k8s.meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
        ),
    )


def allow(
    name: str,
    reason: str,
    *,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
    pods: dict[str, str] | None = None,
    ingress: Iterable[Flow] = (),
    egress: Iterable[Flow] = (),
) -> net.NetworkPolicy:
    """Let `ingress` and `egress` through for `pods` (labels; none: all pods) of `namespace`.

    `reason` names the object, for example "allow-dns". Raises ValueError when nothing is let
    through: such a policy would deny instead.
    """
    incoming, outgoing = tuple(ingress), tuple(egress)
    if not (incoming or outgoing):
        raise ValueError(f"{reason}: neither ingress nor egress; the policy would deny. Name one.")
    return _policy(
        name,
        reason,
        namespace,
        parent,
        net.NetworkPolicySpecArgs(
            pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=pods or {}),
            policy_types=[*(["Ingress"] if incoming else []), *(["Egress"] if outgoing else [])],
            ingress=[
                net.NetworkPolicyIngressRuleArgs(from_=f.peers.build(), ports=f.build_ports())
                for f in incoming
            ]
            or None,
            egress=[
                net.NetworkPolicyEgressRuleArgs(to=f.peers.build(), ports=f.build_ports())
                for f in outgoing
            ]
            or None,
        ),
    )


def _policy(
    name: str,
    object_name: str,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
    spec: net.NetworkPolicySpecArgs,
) -> net.NetworkPolicy:
    return net.NetworkPolicy(
        name,
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=object_name, namespace=namespace, labels=standard_labels("network-policy")
        ),
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent),
    )
