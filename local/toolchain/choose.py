"""Provides tools by name: an official one where it fits, else one of ours, and says which.

Owns the order of preference and the folder of links for PATH.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import shlex
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from local.paths import REPOSITORY, cache_dir
from local.progress import Clock, Progress
from local.toolchain import download, gocommand, official
from local.toolchain.build import build
from local.toolchain.catalogue import BENCHMARK_TOOLS, TOOLS, Build, Launcher, Tool
from local.toolchain.errors import ToolchainError
from local.toolchain.store import Facts, Sealed, Store


class How(StrEnum):
    """Where a tool came from."""

    FOUND = "found"
    CACHED = "cached"
    BUILT = "built"
    DOWNLOADED = "downloaded"
    LAUNCHER = "launcher"


@dataclass(frozen=True)
class Choice:
    """One tool, ready to run. `seconds` is the time this call spent on it."""

    tool: str
    version: str
    how: How
    path: Path
    reason: str
    seconds: float


def ensure(names: Iterable[str], progress: Progress | None = None) -> dict[str, Path]:
    """The path of each named tool; what is missing is built.

    `progress` gets a line for each step, at least every 15 seconds; by default it is printed to
    standard error. Raises ToolchainError for an unknown name or a tool that cannot be provided.
    """
    return {choice.tool: choice.path for choice in choose(names, progress)}


def choose(names: Iterable[str], progress: Progress | None = None) -> list[Choice]:
    """As `ensure`, with what was chosen for each tool and why."""
    report = progress or Clock(Console(stderr=True, highlight=False, soft_wrap=True))
    tools = [_tool(name) for name in dict.fromkeys(names)]
    return [_provide(tool, report) for tool in tools]


def bin_dir(names: Iterable[str], progress: Progress | None = None) -> Path:
    """A folder of links to the named tools, for the front of PATH; one a checkout.

    The Pulumi engine takes the `pulumi-*` links there as ambient plugins. Links to other tools
    that an earlier call made stay, unless what they point to is gone.
    """
    return link(choose(names, progress))


def link(choices: Iterable[Choice]) -> Path:
    """As `bin_dir`, for tools that are chosen already."""
    folder = official.BIN
    folder.mkdir(parents=True, exist_ok=True)
    for choice in choices:
        entry = folder / choice.tool
        if not entry.is_symlink() or entry.readlink() != choice.path:
            fresh = folder / f".{choice.tool}.{os.getpid()}"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(choice.path)
            fresh.replace(entry)
    for entry in folder.iterdir():
        if not entry.exists():
            entry.unlink(missing_ok=True)
    return folder


def _tool(name: str) -> Tool:
    known = {**TOOLS, **BENCHMARK_TOOLS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    raise ToolchainError(f"no tool named {name!r}{hint}")


def _provide(tool: Tool, progress: Progress) -> Choice:
    started = time.monotonic()

    def chosen(how: How, path: Path, reason: str) -> Choice:
        seconds = round(time.monotonic() - started, 2)
        return Choice(tool.name, tool.source.version, how, path, reason, seconds)

    search = official.find(tool)
    if search.path is not None:
        return chosen(How.FOUND, search.path, search.reason)
    match tool.source:
        case Launcher() as launcher:
            sealed = _launcher(launcher, progress)
            reason = f"stand-in for this machine only: {search.reason}"
            return chosen(How.LAUNCHER, sealed.path / tool.name, reason)
        case Build() as entry:
            if not gocommand.present() and tool.name in download.RELEASES:
                sealed = download.fetch(download.RELEASES[tool.name], progress)
                reason = f"no Go on PATH; {search.reason}"
                how = How.DOWNLOADED if sealed.fresh else How.CACHED
                return chosen(how, sealed.path / tool.name, reason)
            sealed = build(entry, progress)
            how = How.BUILT if sealed.fresh else How.CACHED
            return chosen(how, sealed.path / tool.name, search.reason)


def _launcher(launcher: Launcher, progress: Progress) -> Sealed:
    python, repository = shlex.quote(sys.executable), shlex.quote(str(REPOSITORY))
    text = f'#!/bin/sh\nPYTHONPATH={repository} exec {python} -m {launcher.module} "$@"\n'

    def fill(folder: Path) -> Facts:
        path = folder / launcher.name
        path.write_text(text)
        path.chmod(0o755)
        return {"version": launcher.version}

    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Store(cache_dir() / "tools").obtain(launcher.name, key, fill, progress)
