"""kubeseal, sops and kubectl as function calls: bytes in by standard input, bytes out.

Owns the call and the wording of its failure. What goes in and comes out may be secret, so neither
is ever part of a message; a program's own last line is, because it names files and keys.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from vaultops.errors import VaultOpsError

DEADLINE_SECONDS = 120
LONGEST_REASON = 300

INSTALL = {
    "kubeseal": "https://github.com/bitnami-labs/sealed-secrets/releases (0.36 or newer)",
    "sops": "https://github.com/getsops/sops/releases (3.11 or newer)",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
}


def run(
    command: Sequence[str], given: bytes = b"", *, environment: Mapping[str, str] | None = None
) -> bytes:
    """Standard output of `command`. Raises VaultOpsError when it is missing, fails or hangs."""
    program = command[0]
    where = " ".join(command[:3])
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError:
        raise VaultOpsError(
            f"{program} is not on PATH",
            where=where,
            why="it does the encryption",
            fix=f"install it from {INSTALL[program]}, or run `python -m local.toolchain` and put "
            ".strongroom/bin on PATH",
        ) from None
    except subprocess.TimeoutExpired:
        raise VaultOpsError(
            f"{program} did not end",
            where=where,
            why=f"it had {DEADLINE_SECONDS} s",
            fix="check that the cluster, or the key service, can be reached",
        ) from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise VaultOpsError(
            f"{program} failed",
            where=where,
            why=(lines[-1] if lines else "it gave no reason")[:LONGEST_REASON],
            fix="see the reason above",
        )
    return done.stdout
