"""Who works on a rotation, and whether that process is still there.

Owns the name of this process. A runner that was killed leaves its name in the record; on the same
machine the next one sees at once that nobody is behind it, elsewhere it waits for the lease's end.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def myself() -> str:
    """Host, PID namespace, PID and its start: no other process ever has the same."""
    return "/".join((*_place(), str(os.getpid()), _begin(os.getpid()) or "?"))


def is_gone(holder: str) -> bool:
    """Whether `holder` ran here and runs no more. False for every process elsewhere."""
    place, pid, begin = holder.rsplit("/", 2) if holder.count("/") >= 2 else ("", "", "")
    if place != "/".join(_place()) or not pid.isdigit() or begin == "?":
        return False
    return _begin(int(pid)) != begin


def _place() -> tuple[str, str]:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no Linux: nothing can be said of other processes
        namespace = "?"
    return socket.gethostname(), namespace


def _begin(pid: int) -> str | None:
    """When the process began, in clock ticks since boot; None when it is none or a zombie."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else fields[18]
