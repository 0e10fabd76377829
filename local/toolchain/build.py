"""Builds one entry of the catalogue from its pinned Go module, into the cache.

Owns the `go` arguments, the key that stands for every input, and the record of the build.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path

from local.paths import cache_dir
from local.progress import Progress
from local.toolchain import gocommand
from local.toolchain.catalogue import GO_MODULES, Build
from local.toolchain.errors import ToolchainError
from local.toolchain.store import Facts, Sealed, Store

_NO_INPUT = ("_test.go", ".py", ".pyc", ".md")  # everything else may be embedded
LINK_SPACE_MIB = 1024  # what the linker writes beside the results


def build(entry: Build, progress: Progress, modules: Path = GO_MODULES) -> Sealed:
    """The folder with the entry's binaries; compiled unless a sound one is in the cache.

    `modules` is the folder that holds the entry's Go module. Raises ToolchainError when there is
    no Go or it is too old, a module cannot be fetched or is not the pinned one, the disk is full,
    or the compiler refuses.
    """
    module = modules / entry.name
    store = Store(cache_dir() / "tools")
    return store.obtain(
        entry.name,
        key(entry, module),
        lambda folder: _fill(entry, module, folder, progress),
        progress,
    )


def key(entry: Build, module: Path) -> str:
    """Twelve hex digits that change with every input: sources, pins, flags and Go's version."""
    if not (module / "go.mod").is_file():
        raise ToolchainError(f"{entry.name}: {module / 'go.mod'} is missing from this checkout")
    digest = hashlib.sha256()
    for path in sorted(path for path in module.rglob("*") if path.is_file()):
        if not path.name.endswith(_NO_INPUT):
            digest.update(f"{path.relative_to(module)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    flags = [_ldflags(entry), sorted(entry.packages.items()), sorted(entry.files.items())]
    digest.update(json.dumps([*flags, gocommand.version(module)]).encode())
    return digest.hexdigest()[:12]


def module_folder(module: Path, dependency: str) -> Path:
    """Where Go keeps the pinned version of `dependency`, fetched first where it is missing."""
    log = _log(f"{module.name}-download")
    answer = gocommand.run(
        ["mod", "download", "-json", dependency],
        module=module,
        log=log,
        progress=lambda _: None,
        state=lambda: "",
    )
    return Path(json.loads(answer)["Dir"])


def _fill(entry: Build, module: Path, folder: Path, progress: Progress) -> Facts:
    _require_space(entry, folder)
    started = time.monotonic()
    log = _log(entry.name)
    progress(
        f"{entry.name}: building {entry.version} from its Go module "
        f"(about {entry.cold_seconds} s on two cores when nothing is cached)"
    )
    packages = list(entry.packages.values())
    listed = gocommand.run(
        ["list", "-deps", *packages],
        module=module,
        log=log,
        progress=progress,
        state=lambda: f"{entry.name}: fetching modules",
    )
    total = len(listed.splitlines())
    results = folder / "build"
    results.mkdir()
    single = len(packages) == 1
    gocommand.run(
        [
            "build",
            "-v",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            _ldflags(entry),
            "-o",
            str(results / next(iter(entry.packages)) if single else results),
            *packages,
        ],
        module=module,
        log=log,
        progress=progress,
        state=lambda: f"{entry.name}: compiled {_compiled(log)} of {total} packages",
    )
    for name, package in entry.packages.items():
        built = results / (name if single else package.rpartition("/")[2])
        built.rename(folder / name)
    results.rmdir()
    for name, (dependency, path) in entry.files.items():
        shutil.copyfile(module_folder(module, dependency) / path, folder / name)
        (folder / name).chmod(0o755)
    seconds = round(time.monotonic() - started, 1)
    compiled = _compiled(log)
    progress(f"{entry.name}: built in {seconds:.0f} s ({compiled} of {total} packages compiled)")
    return {
        "version": entry.version,
        "go": gocommand.version(module),
        "seconds": seconds,
        "packages": total,
        "compiled": compiled,
    }


def _ldflags(entry: Build) -> str:
    return f"-s -w {entry.ldflags}".strip()


def _compiled(log: Path) -> int:
    """`go build -v` names each package that it compiles, one a line."""
    return sum(1 for line in log.read_text().splitlines() if line and " " not in line)


def _log(name: str) -> Path:
    folder = cache_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def _require_space(entry: Build, folder: Path) -> None:
    needed = entry.size_mib + LINK_SPACE_MIB
    free = shutil.disk_usage(folder).free // 2**20
    if free < needed:
        raise ToolchainError(
            f"{entry.name}: the disk under {folder.parents[1]} has {free} MiB free and the build "
            f"needs at least {needed} MiB there ({gocommand.COLD_SPACE}). Free some space or set "
            "STRONGROOM_CACHE to a larger disk"
        )
