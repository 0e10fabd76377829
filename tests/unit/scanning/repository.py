"""A git repository for tests, made in a folder of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")


class Repository:
    """A work tree; `commit` takes everything that is in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """Run git in the work tree and return what it prints."""
        done = subprocess.run(
            ["git", *IDENTITY, *arguments],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Write files; `__` in a name is a dot."""
        for name, text in files.items():
            (self.root / name.replace("__", ".")).write_text(text)

    def commit(self, message: str = "change") -> str:
        """Commit everything; the commit's first twelve digits."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")[:12]
