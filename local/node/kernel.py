"""The few settings of the whole machine that a kubelet changes: remembered, and put back.

The first node on a machine writes down what was set before it; the last one to leave restores it.
"""

from __future__ import annotations

import json
from pathlib import Path

from local.node.processes import boot_id

SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
PROC = Path("/proc/sys")
_RECORD = "kernel.json"


def remember(nodes: Path, proc: Path = PROC) -> None:
    """Write the settings into the folder of all run folders, unless done since the last boot."""
    record = nodes / _RECORD
    if _read(record) is None:
        values = {name: (proc / name).read_text().strip() for name in SETTINGS}
        nodes.mkdir(parents=True, exist_ok=True)
        partial = record.with_suffix(".partial")
        partial.write_text(json.dumps({"boot": boot_id(), "values": values}))
        partial.replace(record)


def restore(nodes: Path, proc: Path = PROC) -> None:
    """Put the settings back and forget them, unless another node is still there."""
    if any(entry.is_dir() for entry in nodes.glob("*")):
        return
    record = nodes / _RECORD
    for name, value in (_read(record) or {}).items():
        if (proc / name).read_text().strip() != value:
            (proc / name).write_text(value)
    record.unlink(missing_ok=True)


def _read(record: Path) -> dict[str, str] | None:
    """The settings from before the first node; None when nobody wrote them since the last boot."""
    try:
        content = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if content["boot"] != boot_id():
        return None
    values: dict[str, str] = content["values"]
    return values
