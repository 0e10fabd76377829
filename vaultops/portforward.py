"""One `kubectl port-forward` to one pod. Owns the process and its random loopback port."""

from __future__ import annotations

import re
import selectors
import subprocess
import time

from vaultops.errors import UnreachableError
from vaultops.kubectl import Kubectl

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")
START_SECONDS = 15.0


class PortForward:
    """A running forward. Raises UnreachableError from `start` when the pod cannot be reached."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self._process = process
        self.port = port

    @classmethod
    def start(cls, kubectl: Kubectl, pod: str, port: int) -> PortForward:
        """Forward a free loopback port to `port` of `pod`."""
        process = subprocess.Popen(
            kubectl.command("port-forward", "--address=127.0.0.1", f"pod/{pod}", f":{port}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A Ctrl-C in the terminal must not cut the connection in the middle of a step.
            process_group=0,
        )
        line = _first_line(process)
        if found := _FORWARDING.search(line):
            return cls(process, int(found.group(1)))
        _end(process)
        raise UnreachableError(
            f"pod {pod} cannot be reached",
            where=f"kubectl port-forward pod/{pod} (namespace {kubectl.namespace})",
            why=line.strip() or f"no answer in {START_SECONDS:.0f} s",
            fix="wait until the pod runs; `kubectl describe pod` says why it does not",
        )

    @property
    def alive(self) -> bool:
        """Whether kubectl still runs; it ends when the pod does."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the forward."""
        _end(self._process)


def _first_line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        return ""
    deadline = time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if selector.select(deadline - time.monotonic()):
            return process.stdout.readline()
    return ""


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
