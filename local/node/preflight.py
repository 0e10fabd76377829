"""What this machine must have before a node may touch it; each refusal says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.node import cgroups, forwards, packages
from local.node.components import REQUIRED_TOOLS, etcd_binary
from local.node.errors import NodeError
from local.node.layout import Layout
from local.paths import REPOSITORY
from local.progress import Progress

MINIMUM_FREE_BYTES = 4 * 1024**3
NAMESPACE_PROBE = ("unshare", "--net", "--mount", "--", "true")
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
    check_machine(layout)
    require_tools(binaries)
    packages.ensure(progress)


def check_machine(layout: Layout) -> None:
    """The part of `check` that needs no program, to be asked before any is built."""
    require_root()
    require_capabilities(Path("/proc/self/status").read_text())
    require_namespaces()
    require_cgroups(cgroups.MOUNT)
    require_overlay(Path("/proc/filesystems").read_text())
    require_space(layout.instance.state_dir)
    require_own_checkout(layout)
    require_recorded_ports(layout)


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


def require_namespaces(probe: Sequence[str] = NAMESPACE_PROBE) -> None:
    """Raises NodeError when a network and a mount namespace cannot be made."""
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NodeError(
            f"this root may not make namespaces: `{' '.join(probe)}` says "
            f"{done.stderr.strip()!r}: allow it (docker run --privileged) or use another machine"
        )


def require_cgroups(mount: Path) -> None:
    """Raises NodeError unless every cgroup hierarchy is there and writable."""
    folders = cgroups.hierarchies(mount) if mount.is_dir() else []
    if not folders:
        raise NodeError(f"{mount}: no cgroup hierarchy is mounted there; containers need one")
    closed = [str(folder) for folder in folders if not os.access(folder, os.W_OK)]
    if closed:
        raise NodeError(
            f"not writable: {', '.join(closed)}: mount the cgroups read-write (docker run "
            "--privileged --cgroupns=host) or use another machine"
        )


def require_own_checkout(layout: Layout, checkout: Path = REPOSITORY) -> None:
    """Raises NodeError when this instance's node runs from another checkout."""
    try:
        other = Path(layout.checkout_file.read_text())
    except FileNotFoundError:
        return
    if other != checkout and other.exists() and cgroups.processes(layout.cgroup):
        name = layout.instance.name
        raise NodeError(
            f"the node of instance {name} runs from the checkout {other}: use it there, take it "
            f"down first (`.venv/bin/python -m local.node down --instance {name}`), or choose "
            "another instance name"
        )


def require_recorded_ports(layout: Layout) -> None:
    """Raises NodeError when another process listens where a recorded forward has to."""
    recorded = forwards.read(layout.forwards_file)
    ours = cgroups.processes(layout.cgroup)
    for name, forward in recorded.items():
        if port_owner(forward.host_port) not in ours:
            require_free_port(forward.host_port, f"forward {name} of {layout.instance.name}")


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
    if not os.access(etcd_binary(), os.X_OK):
        missing.append(str(etcd_binary()))
    if missing:
        raise NodeError(f"programs are missing: {', '.join(missing)}; `make tools` builds them")


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
