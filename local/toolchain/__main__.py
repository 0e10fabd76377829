"""`python -m local.toolchain`: provide tools, link them in .strongroom/bin, and say where each one
came from.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from types import FrameType

from rich.console import Console
from rich.table import Table

from local.toolchain.catalogue import TOOLS, Build
from local.toolchain.choose import Choice, How, choose, link
from local.toolchain.errors import ToolchainError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after an error, 130 after an interrupt."""
    parser = argparse.ArgumentParser(
        prog="python -m local.toolchain",
        description="Find or build the tools of the local environment.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="tools to provide (default: all)")
    parser.add_argument(
        "--list", action="store_true", help="show the table of tools, build nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    if options.list:
        _show(_catalogue(), as_json=options.json)
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        chosen = choose(options.names or TOOLS)
        link(chosen)
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps([asdict(choice) for choice in chosen], indent=2, default=str))
    else:
        _show([_row(choice) for choice in chosen], as_json=False)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _row(choice: Choice) -> dict[str, str]:
    return {
        "tool": choice.tool,
        "version": choice.version,
        "chosen": f"found: {choice.path}" if choice.how is How.FOUND else choice.how,
        "why": choice.reason,
        "seconds": f"{choice.seconds:.1f}",
    }


def _catalogue() -> list[dict[str, str]]:
    return [
        {
            "tool": tool.name,
            "version": tool.source.version,
            "from": f"local/toolchain/go/{tool.source.name}"
            if isinstance(tool.source, Build)
            else tool.source.module,
            "cold build": f"{tool.source.cold_seconds} s" if isinstance(tool.source, Build) else "",
        }
        for tool in TOOLS.values()
    ]


def _show(rows: Sequence[dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=None)
    for heading in rows[0]:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row.values())
    Console(width=max(Console().width, 160)).print(table)


if __name__ == "__main__":
    sys.exit(main())
