"""The same cluster by kind, for a user with Docker who is not root.

Only its commands and refusals are tested: no machine of the project's tests has Docker. It has the
part of `Node` that a cluster in Docker can have: no services or forwards into its network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.node.errors import NodeError
from local.node.layout import Layout
from local.paths import Instance
from local.progress import Progress

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)


def preferred() -> bool:
    """Whether kind is the way here: not root, and both Docker and kind are installed."""
    return os.geteuid() != 0 and all(shutil.which(name) for name in ("docker", "kind"))


@dataclass(frozen=True)
class KindCluster:
    """The kind cluster of one instance. `run` runs a command and is replaced in tests."""

    instance: Instance
    run: Run = _run

    @property
    def name(self) -> str:
        """The cluster's name, as `kind get clusters` shows it."""
        return f"strongroom-{self.instance.name}"

    @property
    def kubeconfig(self) -> Path:
        """Of this cluster alone; the user's own kubeconfig is not touched."""
        return Layout(self.instance).kubeconfig

    def up(self, progress: Progress) -> None:
        """Create the cluster unless it exists. Raises NodeError with what Docker or kind said."""
        self._checked("docker", "info", "--format", "{{.ServerVersion}}")
        self.instance.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.exists():
            progress(f"kind: creating the cluster {self.name}")
            create = ("kind", "create", "cluster", "--name", self.name, "--wait", "180s")
            self._checked(*create, "--kubeconfig", str(self.kubeconfig))
        export = ("kind", "export", "kubeconfig", "--name", self.name)
        self._checked(*export, "--kubeconfig", str(self.kubeconfig))
        self.kubeconfig.chmod(0o600)
        progress(f"kind: {self.name} is up, kubeconfig {self.kubeconfig}")

    def down(self, progress: Progress) -> None:
        """Delete the cluster and its kubeconfig; nothing happens when there is none."""
        if self.exists():
            progress(f"kind: deleting the cluster {self.name}")
            delete = ("kind", "delete", "cluster", "--name", self.name)
            self._checked(*delete, "--kubeconfig", str(self.kubeconfig))
        self.kubeconfig.unlink(missing_ok=True)

    def exists(self) -> bool:
        """Whether kind knows the cluster."""
        return self.name in self._checked("kind", "get", "clusters").split()

    def import_image(self, archive: Path) -> bool:
        """Load an image archive into the cluster."""
        self._checked("kind", "load", "image-archive", str(archive), "--name", self.name)
        return True

    def _checked(self, *argv: str) -> str:
        try:
            done = self.run(argv)
        except FileNotFoundError as error:
            raise NodeError(
                f"{argv[0]} is not installed: install Docker and kind, run this as root, or name a "
                "kubeconfig context of a cluster that you have"
            ) from error
        if done.returncode != 0:
            raise NodeError(f"`{' '.join(argv)}` failed: {done.stderr.strip()}")
        return done.stdout
