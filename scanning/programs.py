"""The scanners that are programs: found on PATH or in the project's tool folder, run, and judged.

Owns the call and the wording of its failure. Output may hold secrets, so it never becomes part of a
message and is never written to disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scanning.errors import ScanError
from scanning.model import Scanner

TOOL_FOLDER = Path(__file__).parents[1] / ".strongroom" / "bin"
_DEADLINE = 1800.0  # seconds
_RELEASES: Mapping[Scanner, str] = {
    Scanner.GITLEAKS: "https://github.com/gitleaks/gitleaks/releases (8.30 or newer)",
    Scanner.TRUFFLEHOG: "https://github.com/trufflesecurity/trufflehog/releases (3.90 or newer)",
}


def find(scanner: Scanner) -> str:
    """The program's path. Raises ScanError when it is nowhere."""
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), str(TOOL_FOLDER)))
    found = shutil.which(scanner, path=search)
    if found is None:
        raise missing(
            scanner,
            f"neither PATH nor {TOOL_FOLDER} has it",
            f"install it from {_RELEASES[scanner]}, or build it with "
            f"`.venv/bin/python -m local.toolchain {scanner}`",
        )
    return found


def missing(scanner: Scanner, why: str, fix: str) -> ScanError:
    """The error of a scanner that is not there, with the way to do without."""
    return ScanError(
        f"the scanner {scanner} is missing",
        where="the scanners of `strongroom scan`",
        why=why,
        fix=f"{fix}; or leave it out on purpose with `--without {scanner}`",
    )


def output(scanner: Scanner, arguments: Sequence[str], folder: Path) -> bytes:
    """Standard output of the scanner, run in `folder`. Raises ScanError when it fails or hangs."""
    command = [find(scanner), *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = f"{type(error).__name__} after at most {_DEADLINE:.0f} s"
        raise _failed(scanner, command[0], why) from None
    if done.returncode != 0:
        raise _failed(scanner, command[0], f"it ended with status {done.returncode}")
    return done.stdout


def unreadable(scanner: Scanner, why: str) -> ScanError:
    """The error of a scanner whose output is not what its version gives."""
    return _failed(scanner, find(scanner), f"its output is not understood: {why}")


def _failed(scanner: Scanner, program: str, why: str) -> ScanError:
    return ScanError(
        f"the scanner {scanner} failed",
        where=program,
        why=why,
        fix=f"run `{scanner} --help` to see that it works; use {_RELEASES[scanner]}",
    )
