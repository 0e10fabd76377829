"""How long writes stand still when the active Vault server is lost; run while `make up` stands.

    python -m benchmarks.failover --rounds 10

Each round, under a steady write load, the active server is killed (its pod deleted with no grace),
and then the next one is asked to leave (with its grace period). Prints Markdown: the gap between
two acknowledged writes, the ratio of the two ways, and how many acknowledged writes were lost.
"""

from __future__ import annotations

import statistics
import time
from typing import Annotated

import typer

from benchmarks.servers import Servers
from benchmarks.write_load import WriteLoad, latest_version
from local.environment import Environment
from local.paths import Instance
from local.progress import Clock

BARE_MANIFESTS_SECONDS = 6.3  # measured on three pods from bare manifests, multiplier 1
WAYS = {"killed": 0, "asked to leave": 30}


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
            for way, grace in WAYS.items():
                writes.await_more(50)
                name, started = servers.active(), time.monotonic()
                before = {name: servers.pods()[name]}
                servers.delete(name, grace_seconds=grace)
                servers.await_return(before)
                writes.await_more(50)
                gaps[way].append(writes.longest_gap(since=started - 1))
                clock(f"round {number}: {name} {way}, gap {gaps[way][-1]:.2f} s")
    lost = writes.lost(latest_version(cluster))
    print("\n| active server | rounds | gap median | gap worst | against 6.3 s |")
    print("|---|---|---|---|---|")
    for way, measured in gaps.items():
        median = statistics.median(measured)
        print(
            f"| {way} | {len(measured)} | {median:.2f} s | {max(measured):.2f} s "
            f"| {median / BARE_MANIFESTS_SECONDS:.2f} |"
        )
    killed, asked = (statistics.median(measured) for measured in gaps.values())
    print(f"\nasked to leave / killed: {asked / killed:.2f}")
    print(f"{len(writes.acknowledged)} acknowledged writes, {len(lost)} lost")


if __name__ == "__main__":
    typer.run(main)
