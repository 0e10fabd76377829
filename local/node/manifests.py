"""What the node itself puts into its cluster: DNS Service, StorageClass, rights of its parts."""

from __future__ import annotations

import json
from typing import Any

from local.node.layout import DNS_PORT, DNS_SERVICE_IP, NODE_IP, PROVISIONER, STORAGE_CLASS

Manifest = dict[str, Any]


def all_manifests() -> list[Manifest]:
    """Everything, in an order that can be applied at once."""
    return [*_dns(), _storage_class(), *_rights()]


def as_json() -> str:
    """One List for `kubectl apply -f -`."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": all_manifests()})


def _dns() -> list[Manifest]:
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    protocols = (("dns", "UDP"), ("dns-tcp", "TCP"))
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "clusterIP": DNS_SERVICE_IP,
                "ports": [
                    {"name": name, "protocol": protocol, "port": 53, "targetPort": DNS_PORT}
                    for name, protocol in protocols
                ],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_IP], "conditions": {"ready": True}}],
            "ports": [
                {"name": name, "protocol": protocol, "port": DNS_PORT}
                for name, protocol in protocols
            ],
        },
    ]


def _storage_class() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": PROVISIONER,
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }


def _rights() -> list[Manifest]:
    return [
        *_role(
            "strongroom:coredns",
            [
                (("",), ("endpoints", "services", "pods", "namespaces"), ("list", "watch")),
                (("discovery.k8s.io",), ("endpointslices",), ("list", "watch")),
            ],
        ),
        *_role(
            "strongroom:storage",
            [
                (("",), ("persistentvolumes",), ("list", "get", "create", "delete")),
                (("",), ("persistentvolumeclaims",), ("list", "get")),
            ],
        ),
        _binding("strongroom:apiserver", "system:kubelet-api-admin"),
    ]


def _role(
    name: str, rules: list[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]
) -> list[Manifest]:
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [
                {"apiGroups": list(groups), "resources": list(resources), "verbs": list(verbs)}
                for groups, resources, verbs in rules
            ],
        },
        _binding(name, name),
    ]


def _binding(user: str, role: str) -> Manifest:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": user},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
