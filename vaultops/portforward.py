"""One `kubectl port-forward` to one pod. Owns the process and its random loopback port."""

from __future__ import annotations

import queue
import re
import subprocess
import threading

from vaultops.errors import UnreachableError
from vaultops.kubectl import Kubectl

_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ->")
START_SECONDS = 15.0


class PortForward:
    """A running forward. Raises UnreachableError from `start` when the pod cannot be reached."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answers: queue.SimpleQueue[int | str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = 0

    @classmethod
    def start(cls, kubectl: Kubectl, pod: str, port: int) -> PortForward:
        """Forward a free loopback port to `port` of `pod`."""
        forward = cls(
            subprocess.Popen(
                kubectl.command("port-forward", "--address=127.0.0.1", f"pod/{pod}", f":{port}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # A Ctrl-C in the terminal must not cut the connection in the middle of a step.
                process_group=0,
            )
        )
        try:
            answer = forward._answers.get(timeout=START_SECONDS)
        except queue.Empty:
            answer = f"no answer in {START_SECONDS:.0f} s"
        if isinstance(answer, int):
            forward.port = answer
            return forward
        forward.close()
        raise UnreachableError(
            f"pod {pod} cannot be reached",
            where=f"kubectl port-forward pod/{pod} (namespace {kubectl.namespace})",
            why=answer or "kubectl ended without a word",
            fix="wait until the pod runs; `kubectl describe pod` says why it does not",
        )

    @property
    def alive(self) -> bool:
        """Whether kubectl still runs; it ends when the pod does."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the forward."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)

    def _read(self) -> None:
        """Read to the end: kubectl tells of each connection, and stops at a pipe that is full."""
        if self._process.stdout is None:
            return
        last = ""
        with self._process.stdout as lines:
            for line in lines:
                if found := _FORWARDING.search(line):
                    self._answers.put(int(found.group(1)))
                last = line.strip() or last
        self._answers.put(last)
