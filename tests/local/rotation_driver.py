"""Runs the rotation function from its archive, and kills it where it is told to.

    python -I -S rotation_driver.py ARCHIVE BOTO

Nothing but the archive, and the folder with boto3 in it, is on the path. Each line of the input is
an order: {"number", "events", "environment", "log", "stop"}. It is carried out in a child of its
own, which kills itself (SIGKILL) right after its `stop`-th call to the outside, where a call is a
request to Secrets Manager, a login to PostgreSQL or a statement. The answer is the order's number
and the child's wait status: 0, 9 when it was killed, 256 when the function raised.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def kill_after(calls: int, owners: list[tuple[type, str]]) -> None:
    """Let the process end right after so many calls of these methods."""
    done = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            try:
                return function(*arguments, **named)
            finally:
                done += 1
                if done == calls:
                    os.kill(os.getpid(), signal.SIGKILL)

        return call

    for owner, name in owners:
        setattr(owner, name, counted(getattr(owner, name)))


def child(order: dict[str, Any]) -> None:
    """Carry one order out."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["environment"])
    kill_after(
        order["stop"],
        [
            (BaseClient, "_make_api_call"),
            (pg8000.native.Connection, "__init__"),
            (pg8000.native.Connection, "run"),
        ],
    )
    for event in order["events"]:
        handler(event, None)


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    import boto3
    import pg8000.native
    from botocore.client import BaseClient

    from rotation.function import handler

    boto3.client("secretsmanager", region_name="eu-central-1")  # loads what every child needs
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(order)
            sys.exit()
        print(json.dumps([order["number"], os.waitpid(pid, 0)[1]]), flush=True)
