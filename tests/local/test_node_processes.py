from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from local.node import processes
from local.node.errors import NodeError
from local.node.processes import Record, Spec, Supervisor

SLEEP = Spec("sleeper", ["sleep", "300"])


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "pids", tmp_path / "logs")
    yield made
    for name in made.names():
        made.stop(name, timeout=1)


def wait_for(condition: object, seconds: float = 40) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def test_a_process_is_started_once_in_a_session_of_its_own(supervisor: Supervisor) -> None:
    assert supervisor.ensure(SLEEP)
    pid = supervisor.pid("sleeper")
    assert pid is not None
    assert os.getsid(pid) == pid
    assert not supervisor.ensure(SLEEP)
    assert supervisor.pid("sleeper") == pid


def test_a_killed_process_is_started_again(supervisor: Supervisor) -> None:
    supervisor.ensure(SLEEP)
    first = supervisor.pid("sleeper")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: supervisor.pid("sleeper") is None)
    assert supervisor.ensure(SLEEP)
    assert supervisor.pid("sleeper") not in (None, first)


@pytest.mark.parametrize(
    "changed",
    [
        Spec("sleeper", ["sleep", "301"]),
        Spec("sleeper", ["sleep", "300"], env={"FAKE": "1"}),
        Spec("sleeper", ["sleep", "300"], config="another"),
    ],
    ids=["argv", "env", "config"],
)
def test_a_changed_spec_restarts(supervisor: Supervisor, changed: Spec) -> None:
    supervisor.ensure(SLEEP)
    first = supervisor.pid("sleeper")
    assert supervisor.ensure(changed)
    assert supervisor.pid("sleeper") not in (None, first)
    assert first is not None
    assert processes.start_time(first) is None


@pytest.mark.parametrize("stale", ["start", "boot"])
def test_a_recycled_pid_is_neither_ours_nor_killed(supervisor: Supervisor, stale: str) -> None:
    stranger = subprocess.Popen(["sleep", "300"])
    try:
        start = processes.start_time(stranger.pid)
        assert start is not None
        record = Record(stranger.pid, start, processes.boot_id(), SLEEP.fingerprint)
        values = {**asdict(record), stale: start - 1 if stale == "start" else "an-earlier-boot"}
        supervisor.records.mkdir()
        (supervisor.records / "sleeper.json").write_text(json.dumps(values))
        assert supervisor.pid("sleeper") is None
        supervisor.stop("sleeper", timeout=0.2)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_damaged_record_counts_as_none(supervisor: Supervisor) -> None:
    supervisor.records.mkdir()
    (supervisor.records / "sleeper.json").write_text('{"pid": 1')
    assert supervisor.pid("sleeper") is None
    assert supervisor.ensure(SLEEP)


def test_a_process_that_ignores_sigterm_is_killed(supervisor: Supervisor) -> None:
    script = "import signal,time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True)"
    supervisor.ensure(Spec("deaf", [sys.executable, "-c", f"{script}; time.sleep(300)"]))
    wait_for(lambda: "deaf" in supervisor.tail("deaf"))
    supervisor.stop("deaf", timeout=0.3)
    assert supervisor.names() == []


def test_a_missing_program_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(NodeError, match="ghost: cannot start /nowhere/ghost"):
        supervisor.ensure(Spec("ghost", ["/nowhere/ghost"]))


def test_output_goes_to_the_log_and_no_environment_leaks_in(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TOKEN", "fake-not-a-secret")
    supervisor.ensure(Spec("printer", ["sh", "-c", "env; echo to-stderr >&2; sleep 300"]))
    wait_for(lambda: "to-stderr" in supervisor.tail("printer"))
    assert "fake-not-a-secret" not in supervisor.tail("printer", 100)


def test_an_interrupt_waits_until_the_record_is_written() -> None:
    reached = []

    def start_and_record() -> None:
        with processes.uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the record")
        time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        start_and_record()
    assert reached == ["the record"]


def test_a_log_that_outgrew_its_limit_keeps_its_end(tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 4000 + b"the end\n")
        processes.bound(log, limit=1000)
        assert log.stat().st_size < 400
        writer.write(b"after\n")
    assert log.read_bytes().endswith(b"the end\nafter\n")
    processes.bound(log, limit=1000)
    processes.bound(tmp_path / "absent.log")
