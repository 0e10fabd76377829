"""`python -m local.node {up,down,status,logs,forward}`: the node alone, without the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from local.node import Node, NodeError, kind
from local.node.components import REQUIRED_TOOLS
from local.node.processes import tail
from local.paths import Instance
from local.progress import Clock

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
_console = Console(highlight=False, soft_wrap=True)
InstanceName = Annotated[str, typer.Option("--instance", help="Which local environment.")]


def _binaries() -> dict[str, Path]:
    from local.toolchain import ensure  # here because only `up` needs the toolchain

    return dict(ensure(list(REQUIRED_TOOLS)))


@app.command()
def up(
    instance: InstanceName = "local",
    tools: Annotated[
        Path | None, typer.Option(help="Folder with built programs, instead of the cache.")
    ] = None,
) -> None:
    """Bring the node up, or repair it; by kind for a user with Docker who is not root."""
    if kind.preferred():
        kind.KindCluster(Instance(instance)).up(Clock())
        return
    Node(Instance(instance)).check_machine()
    binaries = {name: tools / name for name in REQUIRED_TOOLS} if tools else _binaries()
    Node(Instance(instance), binaries).up(Clock())


@app.command()
def down(instance: InstanceName = "local") -> None:
    """Remove the node and everything it wrote."""
    if kind.preferred():
        kind.KindCluster(Instance(instance)).down(Clock())
        return
    Node(Instance(instance)).down(Clock())


@app.command()
def status(instance: InstanceName = "local") -> None:
    """Show what runs; exit status 1 unless the node is Ready."""
    seen = Node(Instance(instance)).status()
    table = Table("process", "pid", title=f"node of instance {instance}")
    for name, pid in seen.processes.items():
        table.add_row(name, "not running" if pid is None else str(pid))
    _console.print(table)
    for name, forward in seen.forwards.items():
        _console.print(
            f"127.0.0.1:{forward.host_port} -> {forward.target_host}:{forward.target_port}  {name}"
        )
    _console.print("Ready" if seen.ready else "not Ready")
    raise typer.Exit(0 if seen.ready else 1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A process, as `status` names it.")],
    instance: InstanceName = "local",
    lines: Annotated[int, typer.Option(min=1)] = 50,
) -> None:
    """Print the last lines of a process's log."""
    path = Instance(instance).logs / f"{name}.log"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.log"))) or "none"
        raise NodeError(f"{path}: no such log; there are: {known}")
    _console.print(tail(path, lines), markup=False)


@app.command()
def forward(
    name: str,
    target: Annotated[str, typer.Argument(help="ADDRESS:PORT inside the node's namespace.")],
    instance: InstanceName = "local",
    port: Annotated[int, typer.Option(help="Loopback port; 0 picks a free one.")] = 0,
) -> None:
    """Open a loopback port that leads into the node's namespace."""
    host, _, number = target.rpartition(":")
    if not host or not number.isdigit():
        raise NodeError(f"target {target!r}: write ADDRESS:PORT, for example 10.96.0.1:443")
    opened = Node(Instance(instance)).forward(name, port, host, int(number))
    _console.print(f"127.0.0.1:{opened}")


if __name__ == "__main__":
    try:
        app()
    except (NodeError, ValueError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
        raise SystemExit(1) from error
