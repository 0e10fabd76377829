"""The node's small helper process on the host: serves the loopback forwards, bounds the logs.

Runs as `python -m local.node.keeper INSTANCE`, supervised like every other process of the node.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from local.node import forwards, network, processes
from local.node.layout import Layout
from local.paths import Instance

_FOLLOW_SECONDS = 0.25
_BOUND_SECONDS = 30.0


async def keep(layout: Layout) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    forwarder = forwards.Forwarder(lambda: network.socket_inside(layout.netns_path))
    said: list[str] = []
    seen: float = -1
    bounded = 0.0
    clock = asyncio.get_running_loop().time
    while not stop.is_set():
        changed = _modified(layout.forwards_file)
        if changed != seen or said:
            problems = await forwarder.follow(set(forwards.read(layout.forwards_file).values()))
            for problem in set(problems) - set(said):
                print(f"cannot listen on {problem}", flush=True)
            said, seen = problems, changed
        if clock() - bounded > _BOUND_SECONDS:
            for log in layout.instance.logs.glob("*.log"):
                processes.bound(log)
            bounded = clock()
        try:
            await asyncio.wait_for(stop.wait(), _FOLLOW_SECONDS)
        except TimeoutError:
            continue
    await forwarder.close()


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    asyncio.run(keep(Layout(Instance(sys.argv[1]))))
