"""The audit log's rotation beside a real server: nothing lost, nothing doubled, within its room.

The script is the container's own, under busybox's shell and tools as in Vault's image. Only where
the log lies, how often it looks, and `pidof` are the test's: every process here has one namespace.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import pytest

from components.vault.sidecars import AUDIT_MOUNT, LOOK_SECONDS, ROTATE_SCRIPT
from tests.vaultops.rig import Rig, kms_key, running
from vaultops import bootstrap
from vaultops.identity import operator_role
from vaultops.wait import wait_for

pytestmark = pytest.mark.e2e

BUSYBOX = "/bin/busybox"
NEVER = 10**12
SOME = 100_000
"""Bytes, of some fifty requests."""


@pytest.fixture(scope="module")
def rig(
    tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str, kms_endpoint: str
) -> Iterator[Rig]:
    rig = Rig(
        tmp_path_factory.mktemp("audit"),
        kubernetes_api,
        replicas=1,
        endpoint=kms_endpoint,
        key=kms_key(kms_endpoint),
    )
    with running(rig):
        log = rig.folder / "log/audit.log"
        log.parent.mkdir()
        bootstrap.run(rig.target, rig.custodian, replace(rig.options(), audit_file=str(log)))
        yield rig


@dataclass
class Sidecar:
    """The container, and the folder in which the process `server` writes its log."""

    folder: Path
    server: int | str
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "audit.log"

    def start(self, rotate_bytes: int = NEVER, keep_kib: int = NEVER) -> None:
        """Begin; it looks at the log ten times a second."""
        script = ROTATE_SCRIPT.replace(AUDIT_MOUNT, str(self.folder))
        script = script.replace(f"sleep {LOOK_SECONDS}", "sleep 0.1")
        # A function comes before busybox's own tool, which would see all of the machine's servers.
        pidof = f"pidof() {{ [ $1 = vault ] && echo {self.server}; }}\n"
        # Names are a hundredth of a second apart here, and not one: it may rotate at every look.
        date = "date() { cut -d ' ' -f 1 /proc/uptime | tr -d .; }\n"
        self._output.write_text("")
        with self._output.open("a") as output:
            self.process = subprocess.Popen(
                [BUSYBOX, "sh", "-ec", pidof + date + script],
                env={
                    "PATH": str(self._tools()),
                    "ROTATE_BYTES": str(rotate_bytes),
                    "KEEP_KIB": str(keep_kib),
                },
                stdout=output,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        """The lines that it has written since its start."""
        return self._output.read_text().splitlines()

    def stop(self) -> None:
        """Kill it with all its children, wherever it is."""
        process, self.process = self.process, None
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def _output(self) -> Path:
        return self.folder.with_name("said")

    def finish(self) -> None:
        """What a kill left half done is done, and nothing more begun."""
        self.start()
        until(lambda: not self.renamed(), "what was renamed to be compressed")
        self.stop()

    def _tools(self) -> Path:
        tools = self.folder.with_name("tools")
        if not tools.exists():
            tools.mkdir()
            subprocess.run([BUSYBOX, "--install", "-s", tools], check=True)
        return tools

    def compressed(self) -> list[Path]:
        """The oldest first."""
        return sorted(self.folder.glob("audit.log.*.gz"))

    def renamed(self) -> list[Path]:
        """Those not compressed yet."""
        return sorted(self.folder.glob("audit.log.*[0-9]"))

    def requests(self) -> list[str]:
        """The id of each request that was logged, in the order of the files."""
        texts = [gzip.decompress(path.read_bytes()).decode() for path in self.compressed()]
        texts += [path.read_text() for path in self.renamed()]
        # Vault goes on writing: its last line may not be whole.
        whole, end, _ = self.log.read_text().rpartition("\n")
        texts.append(whole + end)
        lines = [json.loads(line) for text in texts for line in text.splitlines()]
        return [line["request"]["id"] for line in lines if line["type"] == "request"]


def until(condition: Callable[[], bool], what: str) -> None:
    wait_for(
        lambda: None if condition() else "not yet",
        what=what,
        where="the audit log's folder",
        seconds=180,
        fix="look at what it holds",
    )


@pytest.fixture
def sidecar(rig: Rig) -> Iterator[Sidecar]:
    sidecar = Sidecar(rig.folder / "log", rig.processes[0].pid)
    for old in (*sidecar.compressed(), *sidecar.renamed()):
        old.unlink()
    yield sidecar
    if sidecar.process:
        sidecar.stop()


@pytest.fixture
def answered(rig: Rig) -> Iterator[list[str]]:
    """The ids of the requests that Vault has answered: one after the other, until the test ends."""
    ids: list[str] = []
    ended, token = Event(), rig.log_in(operator_role())

    def ask() -> None:
        with rig.active_client(token) as vault:
            while not ended.is_set():
                ids.append(vault.auth.token.lookup_self()["request_id"])

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        yield ids
        ended.set()
        asking.result(30)


def test_no_entry_is_lost_or_doubled(sidecar: Sidecar, answered: list[str]) -> None:
    sidecar.start(rotate_bytes=SOME)
    until(lambda: len(sidecar.said()) > 3, "four rotations")
    said = sidecar.said()
    sidecar.stop()
    sidecar.finish()
    seen = list(answered)
    logged = sidecar.requests()
    assert len(logged) == len(set(logged))
    assert [one for one in logged if one in set(seen)] == seen
    assert said[:4] == [f"rotated: {path.name}" for path in sidecar.compressed()[:4]]
    modes = {path.stat().st_mode & 0o777 for path in sidecar.folder.iterdir()}
    assert modes == {0o600}


def test_killed_anywhere_it_goes_on(sidecar: Sidecar, answered: list[str]) -> None:
    began = len(answered)
    for turn in range(30):
        sidecar.start(rotate_bytes=SOME // 10)
        time.sleep(0.1 + turn / 100)  # somewhere in its second or third round
        sidecar.stop()
    sidecar.finish()
    seen = answered[began:]
    logged = sidecar.requests()
    assert len(sidecar.compressed()) > 1
    assert len(logged) == len(set(logged))
    assert [one for one in logged if one in set(seen)] == seen
    assert not (sidecar.folder / ".rotating").exists()


def test_what_was_left_is_compressed_first_although_every_look_rotates(
    sidecar: Sidecar, answered: list[str]
) -> None:
    until(lambda: len(answered) > 10, "some requests")
    (sidecar.folder / "audit.log.1").write_text("")
    sidecar.start(rotate_bytes=1)
    until(lambda: len(sidecar.said()) > 5, "six rotations")
    said = sidecar.said()
    assert said[0] == "rotated: audit.log.1.gz"
    assert said == sorted(said)


def test_the_oldest_make_room(sidecar: Sidecar) -> None:
    files = [sidecar.folder / f"audit.log.2026010{day}T000000.gz" for day in (1, 2, 3)]
    for file in files:
        file.write_bytes(os.urandom(2**20))
    used = subprocess.run(
        ["du", "-sk", sidecar.folder], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    sidecar.start(keep_kib=int(used) - 512)
    told = f"removed: {files[0].name}, the oldest, to keep room for new entries"
    until(lambda: sidecar.said() == [told], "the first file to be removed")
    assert sidecar.compressed() == files[1:]


def test_what_vault_still_writes_is_not_compressed(sidecar: Sidecar, answered: list[str]) -> None:
    server, sidecar.server = sidecar.server, ""
    sidecar.start(rotate_bytes=SOME)
    until(lambda: bool(sidecar.renamed()), "the log to be renamed")
    (renamed,) = sidecar.renamed()
    size = renamed.stat().st_size
    until(lambda: renamed.stat().st_size > size, "Vault to write on")
    until(lambda: bool(sidecar.said()), "it to say that it found no server")
    assert set(sidecar.said()) == {"no Vault runs that could be told of the new audit log"}
    assert not sidecar.compressed()
    sidecar.stop()

    sidecar.server = server
    sidecar.start()
    until(lambda: not sidecar.renamed(), "the renamed file to be compressed")
    seen = list(answered)
    assert set(seen) <= set(sidecar.requests())
