"""A small platform that runs as it should: what Vault, its servers and its cluster answer.

Built on the stand-in of the drift tests; a test changes one answer and asks again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import certifi

from cli.stack import settings_of
from compliance.live import Live
from settings import Settings
from tests.unit.drift.stand_in import FakeKubectl, FakeVault, kubectl
from tests.unit.support.stacks import REPOSITORY
from vaultops.certificates import ServedCertificate
from vaultops.look import Look
from vaultops.state import BootstrapState, Observation, Replica
from vaultops.target import AddressTarget

NAMESPACES = ("external-secrets", "ml-serving", "ml-training", "sealed-secrets", "vault")
NOW = datetime.now(UTC)
ENTRY = {
    "type": "response",
    "time": "2030-01-01T00:00:00Z",
    "auth": {"display_name": "deployer-vault-strongroom-operator"},
    "request": {"id": "fake-request-id", "path": "sys/key-status"},
}


@dataclass(frozen=True)
class Cluster(FakeKubectl):
    """A cluster that also has logs."""

    log: str = field(default_factory=lambda: f"not json\n{json.dumps(ENTRY)}\n")

    def run(self, *arguments: str, seconds: float = 30) -> str:
        """The log of a pod."""
        assert arguments[0] == "logs"
        return self.log


def platform(vault: FakeVault | None = None, cluster: Cluster | None = None) -> Live:
    """The platform; what its servers say is answered without a connection, and none is there."""
    live = Live(
        AddressTarget(addresses=("https://127.0.0.1:1",), ca_file=str(certifi.where())),
        Look(vault or running_vault()),
        cluster or running_cluster(),
        settings(),
    )
    live.__dict__["servers"] = servers()
    live.__dict__["certificates"] = (certificate(),)
    return live


def settings() -> Settings:
    """The committed settings of the stack `local`."""
    return settings_of(None, REPOSITORY / "Pulumi.local.yaml")


def servers(**changes: Any) -> Observation:
    """Two servers, the first of which is active; `changes` are to the second."""
    first = Replica(
        name="vault-0",
        answers=True,
        initialised=True,
        sealed=False,
        active=True,
        leader="vault-0",
        version="1.21.0",
        seal_type="awskms",
    )
    second = replace(first, **{"name": "vault-1", "active": False, **changes})
    return Observation(state=BootstrapState.JOINED, replicas=(first, second))


def certificate(days: int = 60) -> ServedCertificate:
    """One that lasts for so many days."""
    return ServedCertificate(
        name="vault-0",
        issuer="CN=fake CA",
        names=("vault-0",),
        expires=NOW + timedelta(days=days, hours=1),
        serial="ab",
    )


def running_vault() -> FakeVault:
    """Vault with what the checks ask beside the drift's."""
    vault = FakeVault(tokens={"fake-accessor": token()})
    vault.answers |= {
        "sys/generate-root/attempt": {"started": False},
        "sys/key-status": {
            "term": 1,
            "encryptions": 5,
            "install_time": f"{NOW:%Y-%m-%dT%H:%M:%S.123456789Z}",
        },
        "sys/storage/raft/autopilot/state": {
            "healthy": True,
            "failure_tolerance": 1,
            "voters": ["a", "b", "c"],
            "servers": {name: {"healthy": True} for name in ("a", "b", "c")},
        },
        "sys/config/state/sanitized": {
            "raw_storage_endpoint": False,
            "listeners": [{"config": {"tls_min_version": "tls13"}}],
        },
    }
    return vault


def token(**changes: Any) -> Mapping[str, Any]:
    """What Vault says of a token, by its accessor."""
    facts = {
        "accessor": "fake-accessor",
        "display_name": "kubernetes-fake",
        "policies": ["ml-app"],
        "ttl": 3600,
    }
    return {**facts, **changes}


def running_cluster(*more: Mapping[str, Any], without: str = "", log: str = "") -> Cluster:
    """The cluster with the pods, policies and schedules of the platform."""
    own = [
        *(manifest("Namespace", name, level=True) for name in NAMESPACES),
        *(closed(name) for name in NAMESPACES),
        manifest("Node", "one"),
        server("vault-0"),
        server("vault-1"),
        schedule(),
        ready_store(),
    ]
    kept = [m for m in own if m["metadata"]["name"] != without]
    base = kubectl(*kept, *more, without="vault-backend")
    objects = tuple({"apiVersion": "v1", **m} for m in base.objects)
    made = Cluster(namespace="vault", objects=objects)
    return replace(made, log=log) if log else made


def manifest(
    kind: str, name: str, *, namespace: str = "", level: bool = False, **more: Any
) -> dict[str, Any]:
    """Any object; `level` gives a namespace its pod security."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"} if level else {}
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, "labels": labels, **place, **more.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def closed(namespace: str, **spec: Any) -> dict[str, Any]:
    """The policy that closes a namespace."""
    whole = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], **spec}
    name = f"deny-{namespace}"
    return {
        **manifest("NetworkPolicy", name, namespace=namespace, spec=whole),
        "apiVersion": "networking.k8s.io/v1",
    }


def server(name: str, **changes: Any) -> dict[str, Any]:
    """A pod of a Vault server, as narrow as it should be."""
    container = {
        "name": "vault",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "nodeName": "one",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True},
        "containers": [container],
        **changes,
    }
    labels = {"app.kubernetes.io/name": "vault", "component": "server"}
    return manifest("Pod", name, namespace="vault", metadata={"labels": labels}, spec=spec)


def schedule(last: timedelta | None = timedelta(hours=1), age_days: int = 30) -> dict[str, Any]:
    """The schedule of the snapshots, with its last success so long ago."""
    pod = {"automountServiceAccountToken": False, "containers": []}
    made = manifest(
        "CronJob",
        "snapshots",
        namespace="vault",
        metadata={
            "labels": {"app.kubernetes.io/component": "vault-snapshots"},
            "creationTimestamp": _stamp(NOW - timedelta(days=age_days)),
        },
        status={"lastSuccessfulTime": _stamp(NOW - last)} if last else {},
        spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}},
    )
    return {**made, "apiVersion": "batch/v1"}


def ready_store(status: str = "True") -> dict[str, Any]:
    """A store whose login works, or not."""
    condition = {"type": "Ready", "status": status, "message": "fake reason"}
    made = manifest(
        "SecretStore", "own", namespace="ml-training", status={"conditions": [condition]}, spec={}
    )
    return {**made, "apiVersion": "external-secrets.io/v1"}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
