"""The login load as its owner sees it: how many logins, by whom, and which were refused.

Owns the process of `rotation_client` and the tally of its lines.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from benchmarks.rotation_servers import Servers

_REPOSITORY = Path(__file__).parents[1]


@dataclass
class LoginLoad:
    """Logs in by the published credential `secret` until the block ends.

    `rate` is a second; `age` is for how many seconds a copy of the secret is good enough.
    """

    servers: Servers
    secret: str
    rate: float = 50
    age: float = 0
    users: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    reads: int = 0
    seconds: float = 0

    @property
    def logins(self) -> int:
        """Every attempt, refused ones included."""
        return self.users.total()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.rotation_client"),
                *("--endpoint", self.servers.endpoint, "--secret", self.secret),
                *("--ca", str(self.servers.postgres.ca_file)),
                *("--rate", str(self.rate), "--age", str(self.age)),
            ],
            cwd=_REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(
            target=self._read, args=[self._process.stdout], name="login-load"
        )
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        cast(IO[str], self._process.stdin).close()
        self._process.wait(60)
        self._reader.join()
        cast(IO[str], self._process.stdout).close()

    def _read(self, lines: IO[str]) -> None:
        began = 0.0
        for line in lines:
            began = began or time.monotonic()
            reads, user, failure = json.loads(line)
            self.reads = max(self.reads, reads)
            if failure:
                self.failures.append(failure)
            self.seconds = time.monotonic() - began
            self.users[user] += 1

    def await_more(self, count: int, seconds: float = 120) -> None:
        """Wait for `count` further logins. Raises TimeoutError."""
        wanted, deadline = self.logins + count, time.monotonic() + seconds
        while self.logins < wanted:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError(
                    f"{self.logins} of {wanted} logins after {seconds:.0f} s; the client's status "
                    f"is {self._process.poll()}; the last failures: {self.failures[-3:]}"
                )
            time.sleep(0.005)
