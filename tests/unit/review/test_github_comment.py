"""The workflow's comment: written once, updated in place, and nobody else's comment touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.support.stacks import REPOSITORY

MARK = "<!-- strongroom-preview: prod -->"
FAKE_GH = """\
#!/bin/sh
echo "$*" >> calls
case "$*" in *--paginate*) cat pages.json ;; esac
"""
URL = "repos/example-org/example/issues"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gh").write_text(FAKE_GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "comment.md").write_text(f"{MARK}\n### Preview of `prod`\n")
    return tmp_path


def comment(number: int, body: str, login: str = "github-actions[bot]") -> dict[str, Any]:
    return {"id": number, "body": body, "user": {"login": login}}


def publish(folder: Path, *pages: list[dict[str, Any]]) -> list[str]:
    """The calls of `gh` that follow the listing."""
    (folder / "pages.json").write_text(json.dumps(pages))
    subprocess.run(
        [sys.executable, REPOSITORY / ".github" / "comment.py", "7", "comment.md"],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder}:/usr/bin:/bin",
            "GITHUB_REPOSITORY": "example-org/example",
        },
        check=True,
    )
    listing, *rest = (folder / "calls").read_text().splitlines()
    assert listing == f"api --paginate --slurp {URL}/7/comments"
    return rest


def test_the_first_preview_is_a_new_comment(folder: Path) -> None:
    others = [
        comment(1, "no mark"),
        comment(2, "<!-- strongroom-preview: dev -->\n…"),
        comment(3, f"{MARK}\nwritten by somebody else", login="fake-user"),
        comment(4, f"quotes {MARK}"),
    ]
    assert publish(folder, others) == [
        f"api --method POST {URL}/7/comments --field body=@comment.md"
    ]


def test_the_next_one_updates_it_wherever_it_is(folder: Path) -> None:
    assert publish(folder, [comment(1, "no mark")], [comment(2, f"{MARK}\r\nolder")]) == [
        f"api --method PATCH {URL}/comments/2 --field body=@comment.md"
    ]
