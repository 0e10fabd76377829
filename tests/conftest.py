"""What holds for every test."""

from __future__ import annotations

import gc
import signal

import pytest
from hypothesis import settings

from tests.unit.support.monitor import use_event_loop
from tests.unit.support.transforms import Transforms
from wiring import collector

# A busy machine is no failure: how long one example takes says nothing of what it proves.
settings.register_profile("strongroom", deadline=None)
settings.load_profile("strongroom")

# A run in the background ignores these two, and every program that a test starts would, too.
for number, own in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, own)


# Seconds after which a test with real servers hangs, unless it says otherwise.
E2E_TIMEOUT = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A minute is enough for what runs in this process; real servers may have a busy machine."""
    for item in items:
        if item.get_closest_marker("e2e") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(E2E_TIMEOUT))


def pytest_collection_finish() -> None:
    """What was imported stays until the end; Python need not search it for dead objects."""
    gc.freeze()
    collector.search_rarely()


@pytest.fixture(autouse=True)
def transforms(monkeypatch: pytest.MonkeyPatch) -> Transforms:
    """Every transform that the test's program registers."""
    kept = Transforms()

    async def callbacks() -> Transforms:
        return kept

    monkeypatch.setattr("pulumi.runtime.resource._get_callbacks", callbacks)
    return kept


@pytest.fixture(autouse=True)
def event_loop() -> None:
    """Outputs are made outside of a deployment, too."""
    use_event_loop()
