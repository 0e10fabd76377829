"""The help of every command: an example that the command would take, and its exit statuses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from cli.app import app

ROOT: Any = get_command(app)


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, with the words that call it."""
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = typer.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), *path, name)


def examples(text: str) -> list[str]:
    """What begins with `strongroom`, up to the end of its paragraph or of a piece of code."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    told = next(part for part in paragraphs if re.match(r"Examples?:", part))
    return re.findall(r"strongroom [^`;|>]*", told)


COMMANDS = {" ".join(path): command for path, command in commands(ROOT)}


def test_all_commands_are_found() -> None:
    assert {"vault status", "audit anomalies", "scan", "seal verify-backup"} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_it_takes_and_its_statuses(name: str) -> None:
    command = COMMANDS[name]
    text = f"{command.help}\n\n{command.epilog or ''}"
    assert re.search(r"Exit\s+status", text)
    options = {option for each in command.params for option in each.opts}
    found = examples(text)
    assert found
    for example in found:
        assert example.startswith(f"strongroom {name} ")
        words = shlex.split(example)
        assert {word for word in words if re.match("--?[a-z]", word)} <= options
