"""How long writes stand still when the active Vault server is lost; run while `make up` stands.

    python -m benchmarks.failover --rounds 10

Each round, under a steady write load, the active server is lost in three ways: its process is
killed, its pod is deleted without grace, its pod is asked to leave. Prints Markdown: the gap
between two acknowledged writes, how it compares to the first way, and how many acknowledged writes
were lost.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Annotated

import typer

from benchmarks.servers import Servers
from benchmarks.write_load import WriteLoad, latest_version
from local.environment import Environment
from local.paths import Instance
from local.progress import Clock

BARE_MANIFESTS_SECONDS = 6.3  # measured on three pods from bare manifests, multiplier 1
WAYS: dict[str, Callable[[Servers, str], None]] = {
    "process killed (SIGKILL)": lambda servers, name: servers.kill(name),
    "pod deleted without grace": lambda servers, name: servers.delete(name),
    "pod asked to leave": lambda servers, name: servers.delete(name, grace_seconds=30),
}


def main(
    instance: Annotated[str, typer.Option(help="The local environment.")] = "local",
    rounds: Annotated[int, typer.Option(min=1, help="Losses of each kind.")] = 10,
) -> None:
    """Measure and print."""
    cluster = Environment(Instance(instance)).cluster()
    servers, clock = Servers(cluster), Clock()
    gaps: dict[str, list[float]] = {way: [] for way in WAYS}
    with WriteLoad(cluster) as writes:
        for number in range(1, rounds + 1):
            for way, lose in WAYS.items():
                writes.await_more(50)
                name, started = servers.active(), time.monotonic()
                before = {name: servers.pods()[name]}
                lose(servers, name)
                servers.await_return(before)
                writes.await_more(50)
                gaps[way].append(writes.longest_gap(since=started - 1))
                clock(f"round {number}: {name} {way}, gap {gaps[way][-1]:.2f} s")
    lost = writes.lost(latest_version(cluster))
    print("\n| active server | rounds | gap median | gap worst | against 6.3 s | against SIGKILL |")
    print("|---|---|---|---|---|---|")
    killed = statistics.median(next(iter(gaps.values())))
    for way, measured in gaps.items():
        median = statistics.median(measured)
        print(
            f"| {way} | {len(measured)} | {median:.2f} s | {max(measured):.2f} s "
            f"| {median / BARE_MANIFESTS_SECONDS:.2f} | {median / killed:.2f} |"
        )
    print(f"\n{len(writes.acknowledged)} acknowledged writes, {len(lost)} lost")


if __name__ == "__main__":
    typer.run(main)
