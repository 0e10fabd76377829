"""What a service needs from the node that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class ServiceError(Exception):
    """A service cannot run. The message says which, why, and where its log is."""


class ServiceHost(Protocol):
    """The part of `local.node.Node` that services use."""

    @property
    def node_ip(self) -> str:
        """The address that services listen on."""

    def run_service(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: Path = Path("/"),
        user: str | None = None,
    ) -> bool:
        """Run a long-lived program; True when it was started, False when it already ran."""

    def stop_service(self, name: str) -> None:
        """End a program."""

    def forward(self, name: str, host_port: int, target_host: str, target_port: int) -> int:
        """Lead a loopback port of the host to an address of the node; returns the port."""


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for an error message."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    return "\n".join(text.splitlines()[-lines:])
