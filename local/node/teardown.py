"""Removing all of a node, whatever state it is in. Needs no record and no working component."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from local.node import cgroups, kernel, mounts, network
from local.node.layout import Layout
from local.node.processes import start_time
from local.progress import Progress

_CNI_RESULTS = Path("/var/lib/cni/results")
_CONTAINER_LOGS = Path("/var/log/containers")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_KUBELET_FILES = {"kubelet.sock", "kubelet_internal_checkpoint", "DEPRECATION"}


def stop_everything(layout: Layout) -> None:
    """End every process of the node, pods included, and undo every mount below its folders."""
    cgroups.kill(layout.cgroup)
    mounts.unmount_below(layout.run, layout.instance.state_dir)


def remove(layout: Layout, progress: Progress) -> None:
    """Leave nothing of the node. Raises NodeError when something resists."""
    progress("stopping the node's processes and pods")
    stop_everything(layout)
    forget_containers(layout)
    network.remove(layout)
    cgroups.remove(layout.cgroup)
    progress("removing its files")
    for folder in (layout.instance.run_dir, layout.root):
        if folder.exists():
            shutil.rmtree(folder)
    layout.kubeconfig.unlink(missing_ok=True)
    kernel.restore(layout.run.parent)
    _remove_if_empty(layout.run.parent)


def forget_containers(layout: Layout) -> None:
    """Remove what containerd, CNI and the kubelet keep in places that cannot be configured."""
    for address in layout.containerd_state.glob("io.containerd.runtime.v2.task/*/*/address"):
        socket = address.read_text().strip().removeprefix("unix://")
        if socket.startswith("/run/containerd/s/"):
            Path(socket).unlink(missing_ok=True)
    _remove_if_empty(Path("/run/containerd/s"))
    _remove_if_empty(Path("/run/containerd"))
    sandboxes = layout.containerd_root / "io.containerd.grpc.v1.cri" / "sandboxes"
    if sandboxes.is_dir() and _CNI_RESULTS.is_dir():
        for sandbox in sandboxes.iterdir():
            for result in _CNI_RESULTS.glob(f"*-{sandbox.name}-*"):
                result.unlink(missing_ok=True)
    if _CNI_RESULTS.is_dir():
        for result in _CNI_RESULTS.glob(f"{layout.cni_network}-*"):
            result.unlink(missing_ok=True)
    for folder in (_CNI_RESULTS, _CNI_RESULTS.parent):
        _remove_if_empty(folder)
    if _CONTAINER_LOGS.is_dir():
        for link in _CONTAINER_LOGS.iterdir():
            with contextlib.suppress(OSError):  # no link, or another node's that it removed
                if link.readlink().is_relative_to(layout.pod_logs):
                    link.unlink()
        _remove_if_empty(_CONTAINER_LOGS)
    _forget_device_plugins()


def _forget_device_plugins() -> None:
    """The kubelet's device folder is one for the machine: removed with the last node on it."""
    if not _DEVICE_PLUGINS.is_dir() or _a_kubelet_runs():
        return
    names = {path.name for path in _DEVICE_PLUGINS.iterdir()}
    if names <= _KUBELET_FILES and {p.name for p in _DEVICE_PLUGINS.parent.iterdir()} == {
        _DEVICE_PLUGINS.name
    }:
        shutil.rmtree(_DEVICE_PLUGINS)
        _remove_if_empty(_DEVICE_PLUGINS.parent)


def _a_kubelet_runs() -> bool:
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if comm.read_text().strip() == "kubelet" and start_time(int(comm.parts[2])) is not None:
                return True
    return False


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not mounts.is_mounted(folder) and not any(folder.iterdir()):
        folder.rmdir()


def forget_run(layout: Layout) -> None:
    """Clear what a reboot, or a lost namespace, has made untrue; the state stays."""
    stop_everything(layout)
    forget_containers(layout)
    network.remove(layout)
    if layout.run.exists():
        shutil.rmtree(layout.run)
