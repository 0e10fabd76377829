"""How Vault is reached from outside and by Prometheus: the chart's `ui` and telemetry sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from components.vault.tls import CA_CONFIG_MAP, CA_KEY


class ServiceType(StrEnum):
    """Kubernetes' kinds of Services."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


@dataclass(frozen=True, kw_only=True)
class Ui:
    """The Service for people and deployers; it leads to the active server.

    `clients` are the networks that a load balancer lets in, `annotations` tell the cloud what kind
    it is. Raises ValueError for a load balancer without clients, and for a `node_port` on a
    ClusterIP Service, which has none.
    """

    service_type: ServiceType = ServiceType.CLUSTER_IP
    node_port: int | None = None
    clients: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.node_port and self.service_type is ServiceType.CLUSTER_IP:
            raise ValueError(
                f"node_port: {self.node_port} is set, but a ClusterIP Service has no port on the "
                "nodes. Use NodePort, or remove node_port."
            )
        if self.service_type is ServiceType.LOAD_BALANCER and not self.clients:
            raise ValueError(
                "clients: none given; the cloud's load balancer would let the whole Internet in, "
                "and network policies see its own address. Name the networks of Vault's clients."
            )


def ui_values(ui: Ui, annotations: Mapping[str, str]) -> dict[str, Any]:
    """The chart's `ui` section.

    Only the active server is behind it, so that no request waits on one that is still joining.
    """
    balanced = ui.service_type is ServiceType.LOAD_BALANCER
    return {
        "enabled": True,
        "serviceType": str(ui.service_type),
        "activeVaultPodOnly": True,
        "publishNotReadyAddresses": False,
        "annotations": {**annotations, **ui.annotations},
        **({"serviceNodePort": ui.node_port} if ui.node_port else {}),
        **({"loadBalancerSourceRanges": list(ui.clients)} if balanced else {}),
    }


def service_monitor(release: str, *, enabled: bool, token_secret: str) -> dict[str, Any]:
    """The chart's `serverTelemetry` section: metrics over verified TLS, with a token."""
    if not enabled:
        return {"serviceMonitor": {"enabled": False}}
    return {
        "serviceMonitor": {
            "enabled": True,
            "tlsConfig": {
                "ca": {"configMap": {"name": CA_CONFIG_MAP, "key": CA_KEY}},
                "serverName": f"{release}-active",
            },
            "authorization": {"credentials": {"name": token_secret, "key": "token"}},
        }
    }
