"""A steady write load on Vault that knows which writes were acknowledged, and when.

Owns one writer thread. Every write makes a new version of one KV v2 secret, so versions count the
writes that Vault keeps: an acknowledged write that was lost would give its number to another one.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import hvac
import hvac.exceptions
import requests

from local.workload import CANARY, WRITER, Cluster

PAUSE_SECONDS = 0.02
REQUEST_SECONDS = 1


@dataclass(frozen=True)
class Acknowledged:
    """One write that Vault confirmed: its version, and the moment (seconds, monotonic)."""

    version: int
    moment: float


@dataclass
class WriteLoad:
    """Writes the canary secret until the block ends; use it in a `with` statement.

    A failed write is repeated after a short pause, as an application would.
    """

    cluster: Cluster
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="write-load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        client = self.cluster.login(*WRITER)
        client.adapter.timeout = REQUEST_SECONDS
        mount, path = CANARY
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            try:
                answer = client.secrets.kv.v2.create_or_update_secret(
                    path=path, mount_point=mount, secret={"fake-write": number}
                )
            except (requests.RequestException, hvac.exceptions.VaultError) as reason:
                self.refused.append(type(reason).__name__)
            else:
                self.acknowledged.append(Acknowledged(answer["data"]["version"], time.monotonic()))

    def await_more(self, count: int, seconds: float = 120) -> None:
        """Wait for `count` further acknowledged writes. Raises TimeoutError."""
        wanted, deadline = len(self.acknowledged) + count, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{len(self.acknowledged)} of {wanted} writes were acknowledged in "
                    f"{seconds:.0f} s; the last refusals: {self.refused[-3:]}"
                )
            time.sleep(PAUSE_SECONDS)

    def lost(self, latest: int) -> list[int]:
        """Versions that were acknowledged and given out again; `latest` is what Vault has now."""
        versions = [write.version for write in self.acknowledged]
        repeated = [n for before, n in itertools.pairwise(versions) if n <= before]
        return repeated + [n for n in versions if n > latest]

    def longest_gap(self, since: float = 0.0) -> float:
        """The longest time, in seconds, between two acknowledged writes from `since` on."""
        moments = [write.moment for write in self.acknowledged if write.moment >= since]
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)


def latest_version(cluster: Cluster) -> int:
    """The version that the canary has now."""
    mount, path = CANARY
    versions = cluster.login(*WRITER).secrets.kv.v2
    read = versions.read_secret_metadata(path=path, mount_point=mount)
    number: int = read["data"]["current_version"]
    return number
