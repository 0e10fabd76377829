"""Long-running processes: started in a session of their own, recorded, checked, stopped.

A record holds the pid with the process's start time and the machine's boot id, so that a recycled
pid is never taken for ours. Nothing watches the processes: `up` starts what is not running.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.node.errors import NodeError

LOG_LIMIT = 16 * 1024 * 1024
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Spec:
    """What to run. `prefix` (entering a namespace, changing the user) precedes `argv`.

    `config` is the text that the process reads at its start: another text means another process.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    prefix: Sequence[str] = ()
    config: str = ""

    @property
    def fingerprint(self) -> str:
        """Changes when the process would have to be started anew to follow the spec."""
        parts = [list(self.argv), sorted(self.env.items()), str(self.cwd), list(self.prefix)]
        return hashlib.sha256(json.dumps([*parts, self.config]).encode()).hexdigest()


@dataclass(frozen=True)
class Record:
    """One started process, as its file holds it."""

    pid: int
    start: int
    boot: str
    fingerprint: str


def boot_id() -> str:
    """Another value after every reboot."""
    return _BOOT_ID.read_text().strip()


def start_time(pid: int) -> int | None:
    """Clock ticks between boot and the start of the process; None when it is not running."""
    if (child := _children.get(pid)) is not None and child.poll() is not None:
        del _children[pid]
        return None
    try:
        # The command name in parentheses may hold anything: count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back SIGINT and SIGTERM, so that no process is started without its record."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda given, _: came.append(given)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        for missed in came:
            os.kill(os.getpid(), missed)


@dataclass(frozen=True)
class Supervisor:
    """The processes of one instance: records in `records`, output in `logs`."""

    records: Path
    logs: Path

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.logs / f"{name}.log"

    def record(self, name: str) -> Record | None:
        """The last start of that name, running or not."""
        try:
            return Record(**json.loads((self.records / f"{name}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def pid(self, name: str) -> int | None:
        """The pid when exactly the recorded process still runs, else None."""
        record = self.record(name)
        if record is None or record.boot != boot_id() or start_time(record.pid) != record.start:
            return None
        return record.pid

    def started(self, name: str) -> float | None:
        """When the running process was started, in seconds since the epoch."""
        if self.pid(name) is None:
            return None
        return (self.records / f"{name}.json").stat().st_mtime

    def names(self) -> list[str]:
        """Every name that has a record."""
        return sorted(path.stem for path in self.records.glob("*.json"))

    def ensure(self, spec: Spec) -> bool:
        """Start the process unless it runs as specified; True when it was started.

        Raises NodeError when the program cannot be started.
        """
        record = self.record(spec.name)
        if self.pid(spec.name) is not None and record is not None:
            if record.fingerprint == spec.fingerprint:
                return False
            self.stop(spec.name)
        self._start(spec)
        return True

    def _start(self, spec: Spec) -> None:
        self.records.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        bound(self.log(spec.name))
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        with uninterrupted(), self.log(spec.name).open("ab") as log:
            try:
                child = subprocess.Popen(
                    [*spec.prefix, *spec.argv],
                    cwd=spec.cwd,
                    env={**environment, **spec.env},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise NodeError(f"{spec.name}: cannot start {spec.argv[0]}: {error}") from error
            _children[child.pid] = child
            start = start_time(child.pid)
            if start is None:
                raise NodeError(f"{spec.name} ended at once; its log:\n{self.tail(spec.name)}")
            record = Record(child.pid, start, boot_id(), spec.fingerprint)
            target = self.records / f"{spec.name}.json"
            partial = target.with_suffix(".partial")
            partial.write_text(json.dumps(asdict(record)))
            partial.replace(target)

    def stop(self, name: str, timeout: float = 15) -> None:
        """End the process: SIGTERM, then SIGKILL after `timeout` seconds. Forgets the record."""
        for number, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, timeout)):
            pid = self.pid(name)
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + patience
            while self.pid(name) is not None and time.monotonic() < deadline:
                time.sleep(0.05)
        if self.pid(name) is not None:
            raise NodeError(f"{name} (pid {self.pid(name)}) did not end, not even by SIGKILL")
        (self.records / f"{name}.json").unlink(missing_ok=True)

    def tail(self, name: str, lines: int = 20) -> str:
        """The last lines of its log."""
        return tail(self.log(name), lines)


def tail(path: Path, lines: int) -> str:
    """The last lines of a file; a missing one has none."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 256 * 1024))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def bound(path: Path, limit: int = LOG_LIMIT) -> None:
    """Keep the last quarter of a log that outgrew `limit` bytes.

    Works beside a writer, because logs are opened for appending; lines that arrive during the
    copy may be lost.
    """
    try:
        if path.stat().st_size <= limit:
            return
        with path.open("r+b") as stream:
            stream.seek(-limit // 4, os.SEEK_END)
            kept = stream.read()
            stream.truncate(0)
    except FileNotFoundError:
        return
    with path.open("ab") as stream:
        stream.write(b"... older lines were dropped ...\n" + kept)
