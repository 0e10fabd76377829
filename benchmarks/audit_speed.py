"""How fast audit logs become rows of a store, beside a bare loop that parses the same lines.

    python -m benchmarks.audit_speed --lines 100000 --lines 1000000 --lines 10000000

The log is made from a real Vault's entries (`benchmarks.audit_replay`). Both sides read the same
file in turn, each time in a new process, held to one core: the loop parses each line with orjson
and drops it; the reader parses, names, types, compares with what it knows, and writes Parquet,
synced to the disk. The times leave out the start of the interpreter and imports. What is compared
is processor time, of each side's best round. The reader runs on every core as well, for the time
that a person waits. All files are removed. Prints Markdown.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer

from audit.read import read
from audit.store import Store
from benchmarks import audit_replay, machine
from benchmarks.growth import markdown

SEED = 20_260_101
_REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One reading: seconds of the processor and of the clock, and the most memory held (MiB)."""

    lines: int
    processor: float
    clock: float
    memory: int


def bare(log: Path) -> int:
    """Parse every line and keep nothing; how many there were."""
    count = 0
    with log.open("rb") as file:
        for line in file:
            orjson.loads(line)
            count += 1
    return count


def stored(log: Path) -> int:
    """Read the log into a new store beside it; how many events there were."""
    with tempfile.TemporaryDirectory(dir=log.parent) as folder:
        return read(Store(Path(folder)), [log]).events


SIDES: dict[str, Callable[[Path], int]] = {"orjson alone": bare, "strongroom": stored}


def measured(side: str, log: Path) -> Run:
    """Run a side in this process."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    lines = SIDES[side](log)
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    memory = after.ru_maxrss >> 10
    return Run(lines=lines, processor=processor, clock=clock, memory=memory)


def apart(side: str, log: Path, *, cores: int) -> Run:
    """Run a side in a process of its own, on so many cores."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    command = [sys.executable, "-m", "benchmarks.audit_speed", "--run", side, "--log", str(log)]
    ended = subprocess.run(
        ["taskset", "--cpu-list", ",".join(map(str, allowed)), *command],
        cwd=_REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Run(**json.loads(ended.stdout))


def best(runs: list[Run]) -> Run:
    """The run that was disturbed least."""
    return min(runs, key=lambda run: run.processor)


def compare(log: Path, rounds: int) -> dict[str, list[Run]]:
    """Both sides in turn on one core, then the reader on all."""
    runs: dict[str, list[Run]] = {side: [] for side in (*SIDES, "all cores")}
    for _ in range(rounds):
        for side in SIDES:
            runs[side].append(apart(side, log, cores=1))
        runs["all cores"].append(apart("strongroom", log, cores=os.cpu_count() or 1))
    counted = {run.lines for side in runs.values() for run in side}
    if len(counted) > 1:
        raise RuntimeError(f"the sides disagree on the number of lines: {counted}")
    return runs


def main(
    lines: Annotated[list[int] | None, typer.Option(help="Lengths of the logs.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each side reads each log.")] = 3,
    run: Annotated[str | None, typer.Option(help="One side, in this process.")] = None,
    log: Annotated[Path | None, typer.Option(help="The log of --run.")] = None,
) -> None:
    """Measure, and print Markdown."""
    if run and log:
        typer.echo(json.dumps(asdict(measured(run, log))))
        return
    table = []
    for length in lines or [100_000, 1_000_000, 10_000_000]:
        with tempfile.TemporaryDirectory() as folder:
            replay = audit_replay.write(Path(folder), lines=length, seed=SEED)
            size = replay.log.stat().st_size
            runs = compare(replay.log, rounds)
        alone, ours, every = (best(runs[side]) for side in runs)
        table.append(
            (
                f"{ours.lines:,}",
                f"{size / 2**20:,.0f}",
                f"{alone.processor:.2f}",
                f"{ours.processor:.2f}",
                f"{alone.processor / ours.processor:.2f}",
                f"{ours.lines / ours.processor:,.0f}",
                f"{every.clock:.1f}",
                f"{every.memory:,}",
            )
        )
    typer.echo(f"{machine.facts()}\n")
    typer.echo(
        markdown(
            (
                *("lines", "MiB", "orjson alone, s", "strongroom, s", "ratio"),
                *("lines a second and core", "all cores, s waited", "all cores, most memory, MiB"),
            ),
            table,
        )
    )


if __name__ == "__main__":
    typer.run(main)
