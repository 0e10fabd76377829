"""The mounts of this machine, as the kernel lists them; a bind mount on itself counts too."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TABLE = Path("/proc/self/mounts")


def points() -> list[Path]:
    """Every mount point, in the order of mounting; one that is hidden by another is there twice."""
    return [
        Path(line.split()[1].encode().decode("unicode_escape"))
        for line in _TABLE.read_text().splitlines()
    ]


def is_mounted(path: Path) -> bool:
    """Whether something is mounted exactly there."""
    return path in points()


def unmount_below(*folders: Path) -> None:
    """Undo the mounts on and below these folders, the latest first."""
    for point in reversed(points()):
        if any(point.is_relative_to(folder) for folder in folders):
            subprocess.run(["umount", "--lazy", str(point)], capture_output=True, check=False)
