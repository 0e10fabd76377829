"""The files of an instance's stack: there whole, or as they were."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import yaml

from local.paths import Instance
from local.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack whose engine has nothing to say."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(Stack, "run", lambda *_: '{"deployment": {}}')
    return Stack(Instance("fake"), tmp_path)


def test_a_disk_that_fills_costs_neither_the_salt_nor_half_a_passphrase(stack: Stack) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def refused() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                stack.prepare({})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    refused()
    assert not stack.passphrase_file.exists()
    stack.prepare({})
    passphrase = stack.passphrase_file.read_text()
    assert len(passphrase) == 43
    assert stack.passphrase_file.stat().st_mode & 0o777 == 0o600
    written = {**yaml.safe_load(stack.config_file.read_text()), "encryptionsalt": "fake-salt"}
    stack.config_file.write_text(yaml.safe_dump(written))
    refused()
    stack.prepare({})
    assert yaml.safe_load(stack.config_file.read_text())["encryptionsalt"] == "fake-salt"
    assert stack.passphrase_file.read_text() == passphrase
