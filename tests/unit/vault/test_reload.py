"""The reload container's script, run by a real shell against a process that counts its SIGHUPs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.vault.server_config import CERTIFICATE_FILE
from components.vault.sidecars import LOOK_SECONDS, RELOAD_SCRIPT

DEADLINE = 40.0
SERVER = """trap 'echo hup >> "$1/signals"' HUP; : > "$1/signals"; while :; do sleep 0.02; done"""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.01)


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Change a file that is read meanwhile, as the kubelet does: it is the old one or the new."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.chmod(mode)
    new.replace(path)


@dataclass
class Pod:
    """A folder in place of the pod's volumes, and the processes in its namespace."""

    folder: Path
    server: subprocess.Popen[bytes]
    reloader: subprocess.Popen[str] | None = None

    def serve(self, certificate: str) -> None:
        replace(self.folder / "tls.crt", certificate)

    def signals(self) -> int:
        return len((self.folder / "signals").read_text().splitlines())

    def rounds(self) -> int:
        """How often the script has looked at the certificate."""
        return len((self.folder / "rounds").read_text())

    def start(self) -> None:
        script = (
            RELOAD_SCRIPT.replace(CERTIFICATE_FILE, f"{self.folder}/tls.crt")
            .replace("/tmp/served", f"{self.folder}/served")  # noqa: S108 -- as the script has it
            .replace(f"sleep {LOOK_SECONDS}", f"printf . >> {self.folder}/rounds; sleep 0.02")
        )
        (self.folder / "rounds").touch()
        path = f"{self.folder}/bin:/usr/bin:/bin"
        self.reloader = subprocess.Popen(
            ["/bin/sh", "-ec", script], env={"PATH": path}, stdout=subprocess.PIPE, text=True
        )

    def stop(self) -> None:
        assert self.reloader is not None
        self.reloader.kill()
        self.reloader.communicate()

    def look_again(self) -> None:
        """Two full rounds, so that one began after this was called."""
        seen = self.rounds()
        wait_for(lambda: self.rounds() >= seen + 3, "the script's next rounds")


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    server = subprocess.Popen(["/bin/sh", "-c", SERVER, "server", str(tmp_path)])
    (tmp_path / "bin").mkdir()
    pidof = tmp_path / "bin/pidof"
    # A command run beside the server is younger: its number is higher, and named first.
    replace(pidof, f'#!/bin/sh\n[ "$1" = vault ] && echo 4194999 {server.pid}\n', 0o755)
    made = Pod(folder=tmp_path, server=server)
    made.serve("fake certificate 1")
    wait_for((tmp_path / "signals").exists, "the server to listen")
    made.start()
    yield made
    made.stop()
    server.kill()
    server.wait()


def test_an_unchanged_certificate_sends_no_signal(pod: Pod) -> None:
    pod.look_again()
    assert pod.signals() == 0


def test_a_changed_certificate_sends_one_signal_to_the_server(pod: Pod) -> None:
    pod.look_again()
    pod.serve("fake certificate 2")
    wait_for(lambda: pod.signals() == 1, "the signal")
    pod.look_again()
    assert pod.signals() == 1


def test_a_change_while_the_container_was_down_is_not_missed(pod: Pod) -> None:
    pod.look_again()
    pod.stop()
    pod.serve("fake certificate 2")
    pod.start()
    wait_for(lambda: pod.signals() == 1, "the signal")


def test_a_server_that_is_starting_is_told_later(pod: Pod) -> None:
    pod.look_again()
    pidof = pod.folder / "bin/pidof"
    text = pidof.read_text()
    replace(pidof, "#!/bin/sh\nexit 1\n", 0o755)
    pod.serve("fake certificate 2")
    pod.look_again()
    assert pod.signals() == 0
    replace(pidof, text, 0o755)
    wait_for(lambda: pod.signals() == 1, "the signal")
