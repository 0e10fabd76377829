"""The machine that a measurement ran on, and how busy it was. Owns nothing but the words."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

_MIB = 2**20


def facts() -> str:
    """One line of Markdown: the date, what the machine is, and its load average now."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB / 1024
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), "
        f"{memory:.0f} GiB of memory, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {load()}"
    )


def load() -> str:
    """The load average of the last minute, in words."""
    return f"load average {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
