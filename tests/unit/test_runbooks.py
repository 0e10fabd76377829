"""The runbooks name only commands, options and files that exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core

from cli.app import app
from tests.unit.support.stacks import REPOSITORY

FOLDER = REPOSITORY / "docs" / "runbooks"
RUNBOOKS = sorted(FOLDER.glob("*.md"))
PARTS = ("## When", "## What you need", "## How you know that it worked", "## What can go wrong")
CALL = re.compile(r"(?:^|[|;&]\s*|\s)((?:strongroom|python -m cli)\s+(?!stands|is\b).*)")


def fenced(text: str) -> Iterator[str]:
    """Every logical line inside a code fence."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", text, flags=re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()


def calls(text: str) -> Iterator[list[str]]:
    """The arguments of each call of the command, in fences and in inline code."""
    inline = re.findall(r"`(strongroom [^`]*)`", re.sub(r"\s+", " ", text))
    for line in (*fenced(text), *inline):
        if found := CALL.search(line.strip()):
            yield shlex.split(found.group(1).removeprefix("python -m cli ").split("|")[0])


def problem(arguments: list[str]) -> str | None:
    """Why the command line cannot work; None when it can."""
    command: Any = typer.main.get_command(app)
    words = iter(arguments[1:] if arguments[0] == "strongroom" else arguments)
    for word in words:
        if word.startswith("-"):
            options = {name for option in command.params for name in option.opts}
            if word.split("=")[0] not in {*options, "--help"}:
                return f"no option {word} in {' '.join(arguments)}"
        elif isinstance(command, typer.core.TyperGroup):
            inner = command.get_command(typer.Context(command), word)
            if inner is None:
                return f"no command {word!r} in {' '.join(arguments)}"
            command = inner
    return None


def test_there_is_a_runbook_for_each_occasion() -> None:
    assert {path.stem for path in RUNBOOKS} == {
        *("README", "unseal", "lost-quorum", "restore"),
        *("certificate-renewal", "key-custody", "upgrade", "sealing-keys", "rotation"),
        *("secret-found", "drift", "audit", "killed-deployment", "full-volume"),
    }


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_command_exists(path: Path) -> None:
    found = list(calls(path.read_text()))
    assert found or path.stem == "README"
    assert [text for arguments in found if (text := problem(arguments))] == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("strongroom vault unsael --stack prod", "no command 'unsael'"),
        ("strongroom valut status", "no command 'valut'"),
        ("python -m cli vault status --stak prod", "no option --stak"),
        ("cat share | strongroom vault open --stack prod", "no command 'open'"),
    ],
)
def test_a_wrong_command_would_be_seen(line: str, what: str) -> None:
    (arguments,) = calls(f"```sh\n{line}\n```\n")
    assert what in str(problem(arguments))


@pytest.mark.parametrize("path", [*RUNBOOKS, REPOSITORY / "README.md"], ids=lambda path: path.stem)
def test_the_engine_logs_in_before_it_reads_or_deletes_what_is_in_vault(path: Path) -> None:
    """Only the program renews the deployer's token, which lives an hour and dies in a restore."""
    text = re.sub(r"\\\n\s*", "", path.read_text())
    called = re.findall(r"pulumi (?:refresh|destroy) -[^`\n]*|pulumi [^`\n]*--refresh[^`\n]*", text)
    assert [line for line in called if "--run-program" not in line] == []


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", path.read_text())
    assert [link for link in links if "://" not in link and not (FOLDER / link).exists()] == []


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda path: path.stem)
def test_every_runbook_answers_the_same_questions(path: Path) -> None:
    text = path.read_text()
    missing = [part for part in PARTS if part not in text]
    assert missing == [] or path.stem == "README"
    assert text.count("```") % 2 == 0
    assert max(len(line) for line in text.splitlines()) <= 100


def test_messages_that_name_a_runbook_name_one_that_exists() -> None:
    sources = [*(REPOSITORY / "cli").glob("*.py"), *(REPOSITORY / "vaultops").glob("*.py")]
    named = {
        name for path in sources for name in re.findall(r"\b([a-z-]+\.md)\b", path.read_text())
    }
    assert named
    assert {name for name in named if not (FOLDER / name).is_file()} == set()


def test_the_script_in_the_projects_folder_is_the_command(tmp_path: Path) -> None:
    script = REPOSITORY / "strongroom"
    shown = subprocess.run(
        [script, "vault", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "Operate the Vault servers of a stack." in shown.stdout
