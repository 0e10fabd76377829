"""The cgroup that holds all of one node, in every hierarchy: made, filled, emptied, removed.

The kubelet puts pods under it (`cgroupRoot`), the supervisor puts the node's own processes into
its child `system`. What is in it is the node's, so teardown can find even a process that no record
names.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import time
from pathlib import Path

from local.node.errors import NodeError

MOUNT = Path("/sys/fs/cgroup")
_UNIFIED_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")


def hierarchies(mount: Path = MOUNT) -> list[Path]:
    """The root folder of every hierarchy: one for cgroup v2, one a controller for v1."""
    if (mount / "cgroup.controllers").exists():
        return [mount]
    return sorted(
        folder
        for folder in mount.iterdir()
        if folder.is_dir() and (folder / "cgroup.procs").exists()
    )


def create(name: str, mount: Path = MOUNT) -> None:
    """Make the cgroup and its child `system` wherever they are missing."""
    for root in hierarchies(mount):
        parent = root / name
        parent.mkdir(exist_ok=True)
        if (root / "cgroup.controllers").exists() and root == mount:
            for folder in (root, parent):
                available = (folder / "cgroup.controllers").read_text().split()
                wanted = " ".join(f"+{c}" for c in _UNIFIED_CONTROLLERS if c in available)
                (folder / "cgroup.subtree_control").write_text(wanted)
        _inherit_cpuset(root, parent)
        system = parent / "system"
        system.mkdir(exist_ok=True)
        _inherit_cpuset(parent, system)


def _inherit_cpuset(parent: Path, child: Path) -> None:
    """A v1 cpuset starts empty and takes no process until it has processors and memory nodes."""
    for key in ("cpuset.cpus", "cpuset.mems"):
        source, target = parent / key, child / key
        if source.exists() and target.exists() and not target.read_text().strip():
            target.write_text(source.read_text())


def enter(name: str, mount: Path = MOUNT) -> list[str]:
    """The argv prefix that starts a program in `<name>/system`."""
    procs = [str(root / name / "system" / "cgroup.procs") for root in hierarchies(mount)]
    script = "".join(f"echo $$ > {shlex.quote(path)} && " for path in procs) + 'exec "$@"'
    return ["sh", "-c", script, "sh"]


def processes(name: str, mount: Path = MOUNT) -> set[int]:
    """Every process in the cgroup or below it."""
    found: set[int] = set()
    for root in hierarchies(mount):
        for folder, _, _ in os.walk(root / name):  # the kubelet removes some meanwhile
            with contextlib.suppress(OSError):
                found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
    return found


def kill(name: str, mount: Path = MOUNT, timeout: float = 30) -> None:
    """Kill everything in it and wait until it is empty. NodeError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while left := processes(name, mount) - {os.getpid()}:
        if time.monotonic() > deadline:
            raise NodeError(
                f"cgroup {name}: processes {sorted(left)} did not end within {timeout:.0f} s of "
                "SIGKILL; look at them with `ps`, then run the same command again"
            )
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove(name: str, mount: Path = MOUNT, timeout: float = 10) -> None:
    """Remove the emptied cgroup in every hierarchy. Raises NodeError naming what resists."""
    deadline = time.monotonic() + timeout
    for root in hierarchies(mount):
        top = root / name
        while top.exists():
            try:
                for folder, _, _ in os.walk(top, topdown=False):
                    Path(folder).rmdir()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise NodeError(f"cgroup {top} cannot be removed: {error}") from error
                time.sleep(0.05)
