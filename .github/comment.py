"""Writes a comment of a pull request, or updates the one that begins with the same line.

Owns talking to GitHub, through the `gh` that runs on its machines; what is written comes in a file
whose first line is a hidden mark. Only comments of the workflow's own account are touched: anybody
else may write a comment that begins alike.

    GH_TOKEN=… GITHUB_REPOSITORY=owner/name python .github/comment.py NUMBER FILE
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

AUTHOR = "github-actions[bot]"


def publish(repository: str, number: int, file: Path) -> None:
    """Write the file as a comment. Raises CalledProcessError when GitHub refuses."""
    mark = file.read_text().partition("\n")[0]
    comments = f"repos/{repository}/issues/{number}/comments"
    for page in json.loads(_gh("--paginate", "--slurp", comments)):
        for comment in page:
            if comment["user"]["login"] == AUTHOR and comment["body"].startswith(mark):
                existing = f"repos/{repository}/issues/comments/{comment['id']}"
                _gh("--method", "PATCH", existing, "--field", f"body=@{file}")
                return
    _gh("--method", "POST", comments, "--field", f"body=@{file}")


def _gh(*arguments: str) -> str:
    return subprocess.run(
        ["gh", "api", *arguments], stdout=subprocess.PIPE, check=True
    ).stdout.decode()


if __name__ == "__main__":
    publish(os.environ["GITHUB_REPOSITORY"], int(sys.argv[1]), Path(sys.argv[2]))
