"""The name by which pods find a server that runs beside the cluster.

Owns a namespace and a headless Service whose address is the node's: DNS answers with it, and the
server's certificate bears the name. In a cloud the database's own name does that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubernetes import config, dynamic

NAMESPACE = "mlflow"


def publish(kubeconfig: Path, name: str, address: str, port: int) -> None:
    """Make `<name>.mlflow.svc` stand for `address`; again is harmless."""
    api = dynamic.DynamicClient(config.new_client_from_config(str(kubeconfig)))
    for manifest in _manifests(name, address, port):
        api.server_side_apply(
            api.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"]),
            body=manifest,
            field_manager="strongroom-local",
            force_conflicts=True,
        )


def _manifests(name: str, address: str, port: int) -> tuple[dict[str, Any], ...]:
    metadata = {"name": name, "namespace": NAMESPACE}
    ports = [{"name": name, "protocol": "TCP", "port": port}]
    return (
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"clusterIP": "None", "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": ports,
        },
    )
