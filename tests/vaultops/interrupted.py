"""A bootstrap in a process of its own that dies by SIGKILL at a chosen moment.

Owns the moments: after a progress message, or after Vault has answered a writing request. Nothing
runs in the process after that, as in a power cut.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.vaultops.rig import Rig
from vaultops import bootstrap
from vaultops.custody import Custodian
from vaultops.options import BootstrapOptions
from vaultops.state import BootstrapState
from vaultops.target import Target

_Body = Callable[[Target, Custodian, BootstrapOptions, Any], None]


def killed_after_message(rig: Rig, message: str) -> int:
    """The exit code of a bootstrap that is killed when it says `message`."""
    return _exit_code(_until_message, rig, message)


def killed_after_new_write(rig: Rig, seen: Path) -> int:
    """The exit code of a bootstrap that is killed after a write which `seen` does not name yet.

    The write is added to `seen` first. 0 when every write of the run is in it. The answer to
    `sys/init` is let through to the custodian: no client can survive its loss.
    """
    return _exit_code(_until_new_write, rig, seen)


def _exit_code(body: _Body, rig: Rig, moment: str | Path) -> int:
    process = multiprocessing.get_context("spawn").Process(
        target=body, args=(rig.target, rig.custodian, rig.options(), moment)
    )
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _until_message(
    target: Target, custodian: Custodian, options: BootstrapOptions, message: str
) -> None:
    def progress(_: BootstrapState, said: str) -> None:
        if message in said:
            _die()

    bootstrap.run(target, custodian, options, progress)


def _until_new_write(
    target: Target, custodian: Custodian, options: BootstrapOptions, seen: Path
) -> None:
    known = set(seen.read_text().splitlines()) if seen.exists() else set()
    times: Counter[str] = Counter()
    send = requests.Session.request

    def request(
        session: requests.Session, method: str, url: str, **options: Any
    ) -> requests.Response:
        answer = send(session, method, url, **options)
        path = urlsplit(url).path.removeprefix("/v1/")
        if method.lower() != "get" and path != "sys/init":
            times[path] += 1
            moment = f"{path} {times[path]}"
            if moment not in known:
                with seen.open("a") as file:
                    file.write(f"{moment}\n")
                _die()
        return answer

    requests.Session.request = request  # type: ignore[method-assign, assignment]
    bootstrap.run(target, custodian, options)
