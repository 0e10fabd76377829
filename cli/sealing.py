"""What the commands about sealing share: the controller's place, files, and tables of objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.reporting import console, print_json
from settings import Settings
from vaultops.errors import VaultOpsError
from vaultops.kubectl import Kubectl

WIDTH = 160  # names of keys and files stay whole

AsJson = Annotated[bool, typer.Option("--json", help="Print data for programs.")]
Paths = Annotated[list[Path], typer.Argument(help="Sealed files, or folders with some.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write there.")]


def controller_of(settings: Settings) -> Kubectl:
    """kubectl for the namespace of the Sealed Secrets controller."""
    return Kubectl(
        namespace=settings.sealed_secrets.namespace,
        kubeconfig=settings.kubernetes.kubeconfig,
        context=settings.kubernetes.context,
    )


def read_bytes(path: Path) -> bytes:
    """The content of a file that was named. Raises VaultOpsError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as reason:
        raise VaultOpsError(
            "the file cannot be read",
            where=str(path),
            why=reason.strerror or type(reason).__name__,
            fix="name another file",
        ) from None


def show_objects(rows: Sequence[tuple[str, str, str]], *, as_json: bool) -> None:
    """One line an object: file, name, state."""
    if as_json:
        print_json([{"file": path, "object": name, "state": state} for path, name, state in rows])
        return
    table = Table("file", "object", "state", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console(WIDTH).print(table)
