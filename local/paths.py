"""Where a local environment keeps its files. Owns names and directories; creates nothing by itself.

An *instance* is one local environment. Everything it writes lies under `state_dir` (what must
survive a reboot) and `run_dir` (sockets; short, because a socket's path is limited to 107 bytes),
so that removing these two leaves nothing behind and two instances never meet.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

_INSTANCE_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


def cache_dir() -> Path:
    """The folder for tools and images, shared by every checkout and instance of this user."""
    if explicit := os.environ.get("STRONGROOM_CACHE"):
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "strongroom"


def state_home() -> Path:
    """The folder that holds every instance's `state_dir`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "strongroom"


@dataclass(frozen=True)
class Instance:
    """One local environment, known by its name: lower-case letters, digits and dashes, at most 20.

    Raises ValueError for any other name, because it becomes part of paths and interface names.
    """

    name: str

    def __post_init__(self) -> None:
        if not _INSTANCE_NAME.fullmatch(self.name):
            raise ValueError(
                f"instance name {self.name!r}: use lower-case letters, digits and dashes, "
                "start with a letter, at most 20 characters"
            )

    @property
    def state_dir(self) -> Path:
        """What must survive a reboot: volumes, etcd, Pulumi state, keys, logs."""
        return state_home() / self.name

    @property
    def run_dir(self) -> Path:
        """Sockets and pid records; gone after a reboot."""
        return Path("/run/strongroom") / self.name

    @property
    def netns(self) -> str:
        """The network namespace's name, as `ip netns` shows it."""
        return f"strongroom-{self.name}"

    @property
    def logs(self) -> Path:
        """One log file a supervised process."""
        return self.state_dir / "logs"
