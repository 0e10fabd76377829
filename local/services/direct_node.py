"""A stand-in for the node: services as plain processes on loopback, for tests and benchmarks."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class DirectNode:
    """A `ServiceHost` with neither namespace nor supervisor: who starts a program ends it."""

    logs: Path
    node_ip: str = "127.0.0.1"
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run_service(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
        user: str | None = None,
    ) -> bool:
        """Start a program; False when it runs already. `user` is left to the program."""
        del user
        old = self.started.get(name)
        if old is not None and old.poll() is None:
            return False
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(
                argv,
                env={"PATH": os.environ["PATH"], **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return True

    def stop_service(self, name: str) -> None:
        """End a program."""
        self._end(name, signal.SIGTERM)

    def kill(self, name: str) -> None:
        """What a crash does."""
        self._end(name, signal.SIGKILL)

    def forward(self, name: str, host_port: int, target_host: str, target_port: int) -> int:
        """The target's own port, which loopback reaches without a forward."""
        del name, host_port, target_host
        return target_port

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self.started.pop(name, None)
        if process is not None:
            process.send_signal(number)
            process.wait(20)
