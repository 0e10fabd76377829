"""What the node's containerd holds: images, which are imported here, and running containers."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from local.node.errors import NodeError
from local.node.layout import Layout


def digest(archive: Path) -> str:
    """SHA-256 of the archive, in hex."""
    with archive.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _ctr(layout: Layout, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = ["ctr", f"--address={layout.containerd_socket}", "--namespace=k8s.io", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)


def present(layout: Layout) -> set[str]:
    """The image names that containerd knows."""
    done = _ctr(layout, "images", "list", "--quiet")
    if done.returncode != 0:
        raise NodeError(f"containerd does not list its images: {done.stderr.strip()}")
    return set(done.stdout.split())


def running_containers(layout: Layout) -> set[str]:
    """The ids of the containers that have a process."""
    done = _ctr(layout, "tasks", "list", "--quiet")
    return set(done.stdout.split())


def import_archive(layout: Layout, archive: Path) -> bool:
    """Import the archive unless just this one was already; True when it was imported."""
    if not archive.is_file():
        raise NodeError(f"{archive}: no such image archive")
    record = _read(layout)
    content = digest(archive)
    known = present(layout)
    names = record.get(content, [])
    if names and known.issuperset(names):
        return False
    done = _ctr(layout, "images", "import", "--digests=false", str(archive))
    if done.returncode != 0:
        raise NodeError(f"{archive}: containerd refuses this archive: {done.stderr.strip()}")
    names = [word for word in done.stdout.split() if "/" in word and ":" in word]
    record = {**_read(layout), content: sorted(set(names) & present(layout))}
    partial = layout.images_file.with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=2))
    partial.replace(layout.images_file)
    return True


def _read(layout: Layout) -> dict[str, list[str]]:
    try:
        record: dict[str, list[str]] = json.loads(layout.images_file.read_text())
    except FileNotFoundError:
        return {}
    return record
