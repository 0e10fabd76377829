"""The Debian packages that the local environment uses, in one place: found, or installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local.node.errors import NodeError
from local.node.layout import CNI_PLUGINS
from local.progress import Progress

# What the environment calls, and the package that brings it (Debian's and Ubuntu's names).
PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "busybox": "busybox-static",
}
_SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POLICY = Path("/usr/sbin/policy-rc.d")
START_NOTHING = "#!/bin/sh\n# strongroom: while it installs packages\nexit 101\n"
_NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/strongroom.conf")


def missing(search: str = _SEARCH, root: Path = Path("/")) -> list[str]:
    """The packages that would have to be installed."""
    found = {
        package for name, package in PROGRAMS.items() if shutil.which(name, path=search) is None
    }
    plugins = root / CNI_PLUGINS.relative_to("/")
    if not all((plugins / name).exists() for name in ("ptp", "host-local", "portmap", "loopback")):
        found.add("containernetworking-plugins")
    if not any((root / "usr/lib/postgresql").glob("*/bin/postgres")):
        found.add("postgresql")
    return sorted(found)


def ensure(progress: Progress) -> None:
    """Install what is missing. Raises NodeError naming the command when that fails."""
    packages = missing()
    if packages:
        _install(packages, progress)


def browser(progress: Progress) -> Path:
    """Chromium, found or installed: for tests of pages alone. Raises NodeError like `ensure`."""
    return _program("chromium", "chromium", progress)


def java(progress: Progress) -> Path:
    """A Java runtime, found or installed: for tests on Spark alone. Raises NodeError as above."""
    return _program("java", "default-jre-headless", progress)


def _program(name: str, package: str, progress: Progress) -> Path:
    if shutil.which(name, path=_SEARCH) is None:
        _install([package], progress)
    return Path(shutil.which(name, path=_SEARCH) or f"/usr/bin/{name}")


def _install(packages: list[str], progress: Progress) -> None:
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    command = f"apt-get update && {' '.join(install)}"
    if shutil.which("apt-get", path=_SEARCH) is None:
        raise NodeError(
            f"not installed: {', '.join(packages)} (Debian's names), and this machine has no "
            "apt-get: install them, then run the same command again"
        )
    progress(f"installing from the distribution: {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _nothing_started():
        for step in (["apt-get", "update"], install):
            done = subprocess.run(
                step, env=environment, capture_output=True, text=True, check=False, timeout=900
            )
            if done.returncode != 0:
                said = (done.stderr or done.stdout).strip()[-1500:]
                raise NodeError(f"`{command}` failed (`{' '.join(step)}`):\n{said}")


@contextlib.contextmanager
def _nothing_started() -> Iterator[None]:
    """Packages start their services and make a database cluster; ours are in the node only."""
    ours = not _POLICY.exists() or _POLICY.read_text() == START_NOTHING
    if ours:
        _POLICY.write_text(START_NOTHING)
        _POLICY.chmod(0o755)
    if not _NO_CLUSTER.parent.parent.exists():
        _NO_CLUSTER.parent.mkdir(parents=True)
        _NO_CLUSTER.write_text("create_main_cluster = false\n")
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink()
