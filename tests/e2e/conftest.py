"""One real environment for the end-to-end tests of the stack: an instance of their own, beside any
other, removed at the end; its logs are kept when a test failed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator

import pytest

from local.environment import Environment
from local.paths import REPOSITORY, Instance
from local.progress import Clock

KEPT = REPOSITORY / ".strongroom" / "failed"


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The local environment, deployed from nothing."""
    instance = Instance(f"test-{secrets.token_hex(3)}")
    environment = Environment(instance)
    failed_before = request.session.testsfailed
    try:
        environment.up(Clock())
        yield environment
    except BaseException:
        keep_logs(instance)
        raise
    finally:
        if request.session.testsfailed > failed_before:
            keep_logs(instance)
        environment.down(Clock())


def keep_logs(instance: Instance) -> None:
    """Copy an instance's logs where `down` does not reach, and say where."""
    if instance.logs.exists():
        target = shutil.copytree(instance.logs, KEPT / instance.name, dirs_exist_ok=True)
        print(f"logs of the failed run: {target}")
