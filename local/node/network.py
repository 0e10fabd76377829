"""The node's network namespace and its one interface. Changes nothing of the host's network."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from pathlib import Path

from local.node import mounts
from local.node.errors import NodeError
from local.node.layout import GATEWAY_IP, NODE_IP, NODE_PREFIX, Layout

_CLONE_NEWNET = 0x40000000


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NodeError(f"`ip {' '.join(arguments)}` failed: {done.stderr.strip()}")


def nsenter(layout: Layout) -> list[str]:
    """The argv prefix that runs a program inside the namespace, on the host's file system."""
    return ["nsenter", f"--net={layout.netns_path}", "--"]


def create(layout: Layout) -> None:
    """Make the namespace and its interface, or complete what an interrupt left half made."""
    name = layout.instance.netns
    if not mounts.is_mounted(layout.netns_path):
        layout.netns_path.unlink(missing_ok=True)
        _ip("netns", "add", name)
    inside = ["-n", name]
    _ip(*inside, "link", "set", "lo", "up")
    links = subprocess.run(
        ["ip", "-n", name, "-o", "link"], capture_output=True, text=True, check=True
    ).stdout
    device, peer = layout.interface, "node1"
    if f": {device}@" not in links:
        # Both ends stay inside: this only has to be an interface that is up and has an address.
        _ip(*inside, "link", "add", device, "type", "veth", "peer", "name", peer)
    _ip(*inside, "link", "set", peer, "up")
    _ip(*inside, "link", "set", device, "up")
    _ip(*inside, "address", "replace", f"{NODE_IP}/{NODE_PREFIX}", "dev", device)
    _ip(*inside, "route", "replace", "default", "via", GATEWAY_IP, "dev", device)
    subprocess.run(
        [*nsenter(layout), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"], check=True
    )


def remove(layout: Layout) -> None:
    """Remove the namespace; whatever interfaces it had go with it."""
    mounts.unmount_below(layout.netns_path)
    layout.netns_path.unlink(missing_ok=True)
    parent = layout.netns_path.parent
    if parent.is_dir() and not any(parent.iterdir()):
        # `ip netns add` mounts this folder on itself; an empty one is nobody's.
        mounts.unmount_below(parent)
        parent.rmdir()


def enter(netns: Path) -> None:
    """Move the calling thread, and no other, into the namespace. Raises OSError."""
    descriptor = os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {netns}")
    finally:
        os.close(descriptor)


def socket_inside(netns: Path) -> socket.socket:
    """A TCP socket that belongs to the namespace, usable from any thread. Raises OSError."""
    made: list[socket.socket] = []
    errors: list[OSError] = []

    def make() -> None:
        try:
            enter(netns)
            made.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        except OSError as error:
            errors.append(error)

    thread = threading.Thread(target=make, name="netns-socket")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return made[0]


def accepts(netns: Path, port: int, host: str = NODE_IP) -> bool:
    """Whether something listens on that address inside the namespace."""
    try:
        with socket_inside(netns) as probe:
            probe.settimeout(2)
            probe.connect((host, port))
    except OSError:
        return False
    return True
