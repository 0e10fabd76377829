"""Every configuration file of the node, rendered from its layout. Writes text, starts nothing."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from local.files import write_private
from local.node import audit
from local.node.layout import (
    API_PORT,
    CLUSTER_DOMAIN,
    CNI_PLUGINS,
    DNS_PORT,
    DNS_SERVICE_IP,
    NODE_IP,
    PAUSE_IMAGE,
    POD_CIDR,
    Layout,
)

INSIDE_API = f"https://{NODE_IP}:{API_PORT}"
CLIENTS = ("kubelet", "controller-manager", "scheduler", "kube-proxy", "coredns", "storage")


def kubeconfig(layout: Layout, user: str, server: str, *, embed: bool = False) -> str:
    """A kubeconfig for the certificate `user`; `embed` puts the material itself into it."""
    pki = layout.pki

    def material(key: str, path: Path) -> dict[str, str]:
        if not embed:
            return {key: str(path)}
        return {f"{key}-data": base64.b64encode(path.read_bytes()).decode()}

    name = layout.instance.netns
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": server,
                        **material("certificate-authority", pki / "ca.crt"),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        **material("client-certificate", pki / f"{user}.crt"),
                        **material("client-key", pki / f"{user}.key"),
                    },
                }
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def kubelet(layout: Layout) -> str:
    """KubeletConfiguration: either cgroup version, thresholds that suit a small disk."""
    settings: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_IP,
        "healthzBindAddress": "127.0.0.1",
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "clusterDNS": [DNS_SERVICE_IP],
        "clusterDomain": CLUSTER_DOMAIN,
        "resolvConf": str(layout.config / "resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        # 100 switches the collection off: an imported image cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(layout.pod_logs),
        "volumePluginDir": str(layout.kubelet_root / "volume-plugins"),
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 2,
        "maxPods": 110,
        "registryPullQPS": 1,
        "shutdownGracePeriod": "0s",
        "syncFrequency": "20s",
        "fileCheckFrequency": "60s",
    }
    return yaml.safe_dump(settings, sort_keys=False)


def containerd(layout: Layout) -> str:
    """containerd's config.toml: own root, state and socket; no registry is ever needed."""
    quoted = json.dumps
    return f"""version = 2
root = {quoted(str(layout.containerd_root))}
state = {quoted(str(layout.containerd_state))}
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = {quoted(str(layout.containerd_socket))}

[plugins."io.containerd.internal.v1.opt"]
  path = {quoted(str(layout.containerd_root / "opt"))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {quoted(PAUSE_IMAGE)}
  # Without CAP_SYS_RESOURCE no process may lower its oom_score_adj.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_apparmor = {"false" if Path("/sys/kernel/security/apparmor").is_dir() else "true"}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = {quoted(str(layout.runc_root))}
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {quoted(str(CNI_PLUGINS))}
    conf_dir = {quoted(str(layout.config / "cni"))}
"""


def cni(layout: Layout) -> str:
    """Pods get a routed link of their own, so that every packet passes the node's rules."""
    return json.dumps(
        {
            "cniVersion": "0.4.0",
            "name": layout.cni_network,
            "plugins": [
                {
                    "type": "ptp",
                    "ipMasq": False,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": str(layout.run / "cni"),
                        "ranges": [[{"subnet": POD_CIDR}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        },
        indent=2,
    )


def corefile(layout: Layout) -> str:
    """Cluster names only: the node reaches no other resolver."""
    return f"""{CLUSTER_DOMAIN}:{DNS_PORT} in-addr.arpa:{DNS_PORT} {{
    bind {NODE_IP}
    errors
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {layout.config / "coredns.kubeconfig"}
        pods insecure
        ttl 5
    }}
    loadbalance
}}
.:{DNS_PORT} {{
    bind {NODE_IP}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def encryption(layout: Layout) -> str:
    """Secrets are encrypted in etcd with a key that only root reads."""
    key = (layout.pki / "encryption.key").read_text()
    providers = [{"secretbox": {"keys": [{"name": "local", "secret": key}]}}, {"identity": {}}]
    return yaml.safe_dump(
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": providers}],
        }
    )


def write(path: Path, text: str) -> None:
    """Write a file, 0600, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, text.encode())


def write_all(layout: Layout) -> None:
    """Write every file that the components read. Needs the certificates."""
    folder = layout.config
    write(folder / "kubelet.yaml", kubelet(layout))
    write(folder / "containerd.toml", containerd(layout))
    write(folder / "cni" / "10-strongroom.conflist", cni(layout))
    write(folder / "Corefile", corefile(layout))
    write(folder / "encryption.yaml", encryption(layout))
    write(folder / "audit-policy.yaml", audit.policy())
    write(folder / "resolv.conf", "# no resolver beyond the cluster's own\n")
    for user in CLIENTS:
        write(folder / f"{user}.kubeconfig", kubeconfig(layout, user, INSIDE_API))
