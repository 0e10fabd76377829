"""Looks for an official tool on this machine that may be used instead of a build of ours.

Owns the decision and its reason. Installs and downloads nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.paths import REPOSITORY, cache_dir
from local.toolchain.catalogue import PULUMI_ON_PATH, BesidePulumi, InPluginCache, OnPath, Tool

BIN = REPOSITORY / ".strongroom" / "bin"
_DEADLINE = 20  # seconds for a program to print its version
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Search:
    """What was found: `path` None means nothing usable, and `reason` says why in a few words."""

    path: Path | None
    reason: str


def find(tool: Tool) -> Search:
    """The official counterpart of `tool` on this machine, if its version fits."""
    match tool.official:
        case OnPath() as rule:
            return _on_path(tool.name, rule)
        case BesidePulumi():
            return _beside_pulumi(tool.name)
        case InPluginCache(plugin, version):
            return _in_plugin_cache(plugin, version)
    return Search(None, "always ours, so that versions match")


def _on_path(name: str, rule: OnPath) -> Search:
    found = shutil.which(name, path=_foreign_path())
    if found is None:
        return Search(None, "not on PATH")
    try:
        asked = subprocess.run(
            [found, *rule.arguments],
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
            check=False,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return Search(None, f"{found} does not tell its version")
    version = _parse(asked.stdout or asked.stderr)
    wanted = _parse(rule.minimum)
    if asked.returncode or version is None or wanted is None:
        return Search(None, f"{found} does not tell its version")
    shown = ".".join(map(str, version))
    if version < wanted or version[0] != wanted[0]:
        return Search(None, f"{found} is {shown}, needs {rule.minimum} or newer")
    return Search(Path(found), f"official {shown} on PATH")


def _beside_pulumi(name: str) -> Search:
    pulumi = _on_path("pulumi", PULUMI_ON_PATH)
    if pulumi.path is None:
        return Search(None, f"no official pulumi: {pulumi.reason}")
    for folder in (pulumi.path.parent, pulumi.path.resolve().parent):
        if os.access(folder / name, os.X_OK):
            return Search(folder / name, "beside the official pulumi")
    return Search(None, f"not beside {pulumi.path}")


def _in_plugin_cache(plugin: str, version: str) -> Search:
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    path = home / "plugins" / f"resource-{plugin}-v{version}" / f"pulumi-resource-{plugin}"
    if (
        os.access(path, os.X_OK)
        and not path.parent.with_name(f"{path.parent.name}.partial").exists()
    ):
        return Search(path, f"official {version} in the plugin cache")
    return Search(None, f"official {version} not in {home / 'plugins'}")


def _foreign_path() -> str:
    """PATH without our own folders: a link to a build of ours is not an official tool."""
    own = (BIN, cache_dir())
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(
        entry for entry in entries if not any(Path(entry).is_relative_to(folder) for folder in own)
    )


def _parse(text: str) -> tuple[int, ...] | None:
    found = _VERSION.search(text)
    return tuple(map(int, found.groups())) if found else None
