"""Runs the `go` command: its environment, its life signs, and its failures in plain words.

Owns everything that is the same for every Go module. Knows no tool by name.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from local.progress import Progress
from local.toolchain.errors import ToolchainError

# The public checksum database has no entry for these; the committed go.sum files still pin them.
UNLISTED_MODULES = (
    "github.com/pulumi/*",
    "github.com/hashicorp/*",
    "github.com/terraform-providers/*",
    "github.com/external-secrets/*",
    "github.com/previder/*",
    "github.com/DelineaXPM/*",
    "github.com/IBM/*",
    "github.com/cyberark/*",
    "github.com/openbao/*",
)
LIFE_SIGN = 15.0  # seconds between two progress lines of a running command
DEADLINE = 3600.0  # seconds for one command; the longest one needs about 7 minutes on two cores
COLD_SPACE = "building everything for the first time takes about 30 GiB, mostly Go's own caches"
_LAST_LINES = 15
_STOP_DEADLINE = 10.0
_PACKAGE_LINE = re.compile(r"[\w.~/-]+|go: downloading .*")
_NETWORK = (
    "no such host",
    "dial tcp",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "handshake timeout",
    "network is unreachable",
    "502 Bad Gateway",
    "503 Service Unavailable",
)
_CHECKSUM = ("checksum mismatch", "missing go.sum entry", "SECURITY ERROR", "updates to go.mod")


def environment() -> dict[str, str]:
    """The environment of every `go` call: the user's, minus what would change the result."""
    steering = ("GOFLAGS", "GOOS", "GOARCH", "GOWORK", "GO111MODULE", "GOEXPERIMENT")
    inherited = {key: value for key, value in os.environ.items() if key not in steering}
    unlisted = [inherited["GONOSUMDB"]] if inherited.get("GONOSUMDB") else []
    return inherited | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",  # set, because an empty one lets `go env -w GOFLAGS` through
        "GOWORK": "off",
        "GONOSUMDB": ",".join([*unlisted, *UNLISTED_MODULES]),
    }


def present() -> bool:
    """Whether there is a `go` on PATH at all."""
    return shutil.which("go") is not None


@lru_cache
def version(module: Path) -> str:
    """Go's version for that module, for example `go1.26.2`; Go itself may fetch a newer one for it.

    Raises ToolchainError when there is no `go` or it is too old.
    """
    if not present():
        raise ToolchainError(
            "no `go` on PATH: the tools are built from Go modules. Install Go (https://go.dev/dl/) "
            "or the tools themselves, then run the same command again"
        )
    asked = subprocess.run(
        ["go", "env", "GOVERSION"],
        cwd=module,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if asked.returncode:
        raise ToolchainError(explain(asked.stderr, module.name, None))
    return asked.stdout.strip()


def run(
    arguments: Sequence[str],
    *,
    module: Path,
    log: Path,
    progress: Progress,
    state: Callable[[], str],
) -> str:
    """Run `go` in the module's folder and return its standard output.

    Standard error goes to `log`. Every 15 seconds `progress` gets what `state` says. An interrupt
    ends the command and its compilers. Raises ToolchainError with the reason of a failure.
    """
    started = time.monotonic()
    output = log.with_suffix(".out")
    with log.open("w") as errors, output.open("w") as results:
        process = subprocess.Popen(
            ["go", *arguments],
            cwd=module,
            env=environment(),
            stdout=results,
            stderr=errors,
            process_group=0,  # so that the compilers it starts can be ended with it
        )
        try:
            while True:
                try:
                    process.wait(LIFE_SIGN)
                    break
                except subprocess.TimeoutExpired:
                    progress(state())
                if time.monotonic() - started > DEADLINE:
                    raise ToolchainError(
                        f"{module.name}: `go {arguments[0]}` did not end within "
                        f"{DEADLINE / 60:.0f} minutes; its output is in {log}"
                    )
        finally:
            _end(process)
    text = output.read_text()
    output.unlink()
    if process.returncode:
        raise ToolchainError(explain(log.read_text(), module.name, log))
    return text


def explain(output: str, name: str, log: Path | None) -> str:
    """What the output of a failed `go` means, and what to do about it."""
    lines = [line for line in output.splitlines() if not _PACKAGE_LINE.fullmatch(line.strip())]
    quoted = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])
    where = f"\n    full output: {log}" if log else ""
    if "no space left on device" in output:
        return (
            f"{name}: the disk is full ({_free_space()}; {COLD_SPACE}). Free some space and "
            f"run the same command again; finished work is kept{where}"
        )
    if any(sign in output for sign in _CHECKSUM):
        return (
            f"{name}: a module is not the one that go.sum pins, or go.sum lacks it. Nothing was "
            f"built. Restore go.mod and go.sum from the repository:\n{quoted}{where}"
        )
    if "GOTOOLCHAIN=" in output and "requires go >=" in output:
        return (
            f"{name}: this Go is too old. Install the version named below, or let Go fetch "
            f"it with GOTOOLCHAIN=auto:\n{quoted}{where}"
        )
    if any(sign in output for sign in _NETWORK):
        return (
            f"{name}: the Go modules could not be fetched. Check the network, GOPROXY and "
            f"HTTPS_PROXY, then run the same command again; it goes on from here:\n{quoted}{where}"
        )
    return f"{name}: the build failed:\n{quoted}{where}"


def _free_space() -> str:
    folders = {Path.home(), Path(os.environ.get("TMPDIR", "/tmp"))}  # noqa: S108 - Go works there
    return ", ".join(
        f"{folder}: {shutil.disk_usage(folder).free / 2**20:.0f} MiB free"
        for folder in sorted(folders)
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sent)
        try:
            process.wait(_STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            continue
