"""The project's own commands on the real environment, as a person or a pipeline runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from local.environment import Environment
from local.paths import REPOSITORY


def strongroom(
    environment: Environment, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run one command with the environment's settings file, its output kept."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "cli",
            *map(str, arguments),
            "--config-file",
            str(environment.stack.config_file),
        ],
        cwd=REPOSITORY,
        env=environment.stack.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def exported(environment: Environment, folder: Path) -> Path:
    """A file with the exported stack, for the owner alone."""
    path = folder / "export.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(environment.stack.export(), file)
    return path
