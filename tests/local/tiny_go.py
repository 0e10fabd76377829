"""Tiny Go modules for tests of the toolchain: real builds in about a second, without a network."""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

from local.paths import REPOSITORY
from local.toolchain.catalogue import Build

TINY = Build(name="tiny", version="1.2.3", packages={"tiny": "."}, ldflags="-X main.version=1.2.3")

MAIN = """package main

import "os"

var version = "unset"

func main() { os.Stdout.WriteString(version) }
"""

BUILD_SCRIPT = """
from pathlib import Path
from tests.local.tiny_go import TINY
from local.toolchain.build import build
sealed = build(TINY, lambda line: print(line, flush=True), modules=Path({modules!r}))
print("fresh" if sealed.fresh else "reused")
"""


def write_tiny(modules: Path, *, main: str = MAIN, go: str = "1.21", more: str = "") -> Path:
    """A module `tiny` below `modules`; `more` is added to its go.mod."""
    folder = modules / "tiny"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(f"module tiny.invalid/tiny\n\ngo {go}\n{more}")
    (folder / "main.go").write_text(main)
    return folder


def write_proxy(folder: Path) -> str:
    """A module proxy of files that has `dependency.invalid/dep` v1.0.0; returns its address."""
    versions = folder / "dependency.invalid/dep/@v"
    versions.mkdir(parents=True)
    (versions / "v1.0.0.info").write_text('{"Version":"v1.0.0"}')
    (versions / "v1.0.0.mod").write_text("module dependency.invalid/dep\n")
    with zipfile.ZipFile(versions / "v1.0.0.zip", "w") as packed:
        packed.writestr("dependency.invalid/dep@v1.0.0/go.mod", "module dependency.invalid/dep\n")
        packed.writestr("dependency.invalid/dep@v1.0.0/dep.go", "package dep\n")
    return folder.as_uri()


def build_command(modules: Path) -> list[str]:
    """A command that builds the tiny module in a process of its own."""
    return [sys.executable, "-c", BUILD_SCRIPT.format(modules=str(modules))]


def build_environment(cache: Path, path: str | None = None) -> dict[str, str]:
    """The environment for `build_command`."""
    return os.environ | {
        "STRONGROOM_CACHE": str(cache),
        "PYTHONPATH": str(REPOSITORY),
        "PATH": path or os.environ["PATH"],
    }


def write_script(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
