"""Names, addresses and file places of one node. Owns constants; touches nothing on disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from local.paths import Instance

NODE_NAME = "strongroom"
NODE_IP = "10.77.0.2"
GATEWAY_IP = "10.77.0.1"
NODE_PREFIX = 24
POD_CIDR = "10.78.0.0/16"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_SERVICE_IP = "10.96.0.10"
DNS_PORT = 5353
API_PORT = 6443
CLUSTER_DOMAIN = "cluster.local"
ISSUER = f"https://kubernetes.default.svc.{CLUSTER_DOMAIN}"
PAUSE_IMAGE = "strongroom.local/pause:1"
STORAGE_CLASS = "local-path"
PROVISIONER = "strongroom.local/volumes"
CNI_PLUGINS = Path("/usr/lib/cni")


@dataclass(frozen=True)
class Layout:
    """Where the node of one instance keeps its things."""

    instance: Instance

    @property
    def netns_path(self) -> Path:
        """The bind mount that keeps the network namespace alive."""
        return Path("/run/netns") / self.instance.netns

    @property
    def root(self) -> Path:
        """What survives a reboot."""
        return self.instance.state_dir / "node"

    @property
    def pki(self) -> Path:
        """Keys and certificates, 0700."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Rendered configuration files."""
        return self.root / "config"

    @property
    def volumes(self) -> Path:
        """One folder a dynamic volume."""
        return self.root / "volumes"

    @property
    def kubelet_root(self) -> Path:
        """The kubelet's own folder, pod volumes included."""
        return self.root / "kubelet"

    @property
    def containerd_root(self) -> Path:
        """Images and snapshots."""
        return self.root / "containerd"

    @property
    def pod_logs(self) -> Path:
        """What containers print."""
        return self.root / "pod-logs"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, 0600; older files lie beside it."""
        return self.root / "audit" / "audit.log"

    @property
    def forwards_file(self) -> Path:
        """The recorded loopback forwards."""
        return self.root / "forwards.json"

    @property
    def images_file(self) -> Path:
        """The digests of the archives already imported."""
        return self.root / "images.json"

    @property
    def checkout_file(self) -> Path:
        """Names the checkout whose code brought the node up."""
        return self.root / "checkout"

    @property
    def kubeconfig(self) -> Path:
        """For people and tools on the host, 0600."""
        return self.instance.state_dir / "kubeconfig"

    @property
    def run(self) -> Path:
        """Sockets and containerd's state."""
        return self.instance.run_dir

    @property
    def pids(self) -> Path:
        """One record a supervised process."""
        return self.run / "pids"

    @property
    def containerd_state(self) -> Path:
        """containerd's run-time state: bundles, pod network namespaces."""
        return self.run / "containerd"

    @property
    def runc_root(self) -> Path:
        """runc's state of containers."""
        return self.run / "runc"

    @property
    def containerd_socket(self) -> Path:
        """containerd's gRPC socket."""
        return self.run / "containerd.sock"

    @property
    def cgroup(self) -> str:
        """The cgroup, below every hierarchy's root, that holds all of the node."""
        return f"strongroom-{self.instance.name}"

    @property
    def interface(self) -> str:
        """The node's interface inside its namespace."""
        return "node0"

    @property
    def cni_network(self) -> str:
        """The CNI network's name; it is in the names of files that CNI keeps outside."""
        digest = hashlib.sha256(self.instance.name.encode()).hexdigest()[:6]
        return f"strongroom-{self.instance.name}-{digest}"
