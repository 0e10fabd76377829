"""Environments of the tests' own: made beside any other, and what they leave on the machine."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.environment import Environment
from local.paths import REPOSITORY, Instance
from local.progress import Clock, Progress
from local.stack import merge

KEPT = REPOSITORY / ".strongroom" / "failed"
NEVER = "0 0 29 2 *"


@dataclass(frozen=True)
class CalmEnvironment(Environment):
    """An environment in which no rotation begins by the clock: tests begin each one."""

    def start_services(self, progress: Progress) -> dict[str, Any]:
        """The stack's facts, with a schedule that does not fall into a test."""
        calm = {"strongroom:rotation": {"job": {"schedule": NEVER}}}
        return merge(super().start_services(progress), calm)


@contextmanager
def new_environment() -> Iterator[Environment]:
    """An environment that nothing was done to yet; taken down at the end, whatever happens.

    When the block fails its logs are kept.
    """
    environment = CalmEnvironment(Instance(f"test-{secrets.token_hex(3)}"))
    try:
        yield environment
    except BaseException:
        keep_logs(environment.instance)
        raise
    finally:
        environment.down(Clock())


@contextmanager
def deployed_with(environment: Environment, settings: Mapping[str, Any]) -> Iterator[None]:
    """The stack deployed with other settings (`strongroom:…`), and as before at the end."""
    path = environment.stack.config_file
    before = path.read_text()
    try:
        path.write_text(yaml.safe_dump(merge(yaml.safe_load(before), {"config": settings})))
        environment.stack.up()
        yield
    finally:
        path.write_text(before)
        environment.stack.up()


def keep_logs(instance: Instance) -> None:
    """Copy an instance's logs where `down` does not reach, and say where."""
    if instance.logs.exists():
        target = shutil.copytree(instance.logs, KEPT / instance.name, dirs_exist_ok=True)
        print(f"logs of the failed run: {target}")


def processes_of(instance: Instance) -> dict[int, bytes]:
    """Every process that has a file of the instance in its environment or arguments, by pid."""
    found = {}
    mark = str(instance.state_dir).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes() + b"\0" + (folder / "cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        if mark in text:
            found[int(folder.name)] = text
    return found
