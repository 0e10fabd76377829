"""What a person types at a real terminal: asked for, used, and never shown."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.cli.fake_cluster import FAKE_ROOT, FAKE_SHARES, fake_cluster, fake_snapshot
from tests.unit.support.stacks import REPOSITORY

SECONDS = 30


@dataclass
class Terminal:
    """The command at a terminal of its own."""

    pid: int
    screen_fd: int
    screen: str = ""

    def expect(self, text: str) -> None:
        """Wait until `text` comes after what was expected before."""
        seen, deadline = len(self.screen), time.monotonic() + SECONDS
        while text not in self.screen[seen:]:
            assert time.monotonic() < deadline, f"{text!r} did not come:\n{self.screen}"
            self._read()

    def type(self, text: str) -> None:
        os.write(self.screen_fd, f"{text}\n".encode())

    def end(self) -> int:
        """The exit status."""
        while self._read():
            pass
        os.close(self.screen_fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        ready, _, _ = select.select([self.screen_fd], [], [], SECONDS)
        assert ready, f"nothing more came:\n{self.screen}"
        try:
            block = os.read(self.screen_fd, 4096)
        except OSError:  # Linux: the other end is closed
            return False
        self.screen += block.decode(errors="replace")  # a block may end within a character
        return bool(block)


def start(folder: Path, *arguments: str) -> Terminal:
    environment = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(folder),
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "cli", "vault", *arguments]
    config = ["--config-file", str(REPOSITORY / "Pulumi.dev.yaml")]
    pid, screen = pty.fork()
    if pid == 0:
        try:
            os.chdir(folder)
            os.execve(sys.executable, [*command, *config], environment)  # noqa: S606 -- no shell
        finally:
            os._exit(127)
    return Terminal(pid, screen)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_shares_are_typed_unseen(tmp_path: Path) -> None:
    with fake_cluster(tmp_path) as cluster:
        cluster.sealed, cluster.seal_type = [True] * 3, "shamir"
        terminal = start(tmp_path, "unseal")
        for share in FAKE_SHARES:
            terminal.expect("Unseal share (not shown; empty to stop): ")
            terminal.type(share)
        assert terminal.end() == 0, terminal.screen
        assert cluster.sealed == [False] * 3
    assert not any(share in terminal.screen for share in FAKE_SHARES)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_the_root_token_is_asked_for_after_the_question_and_typed_unseen(tmp_path: Path) -> None:
    (tmp_path / "taken.snap").write_bytes(fake_snapshot())
    with fake_cluster(tmp_path) as cluster:
        terminal = start(tmp_path, "restore", "taken.snap")
        terminal.expect("Replace ALL data of Vault in namespace vault of strongroom-dev?")
        terminal.type("y")
        terminal.expect("Root token of the cluster as it is now (not shown): ")
        terminal.type(FAKE_ROOT)
        assert terminal.end() == 0, terminal.screen
        assert cluster.restored == (tmp_path / "taken.snap").read_bytes()
    assert FAKE_ROOT not in terminal.screen
