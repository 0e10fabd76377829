"""The AWS stand-in's process: moto's WSGI application, saved after every change.

    python -m local.services.aws_server --state FILE --host 10.77.0.2 --port 5000

A change is on disk before its answer leaves. Requests are answered one at a time, so that no
other request changes what is being saved. moto's own control interface is closed: one POST to it
would wipe every key.
"""

from __future__ import annotations

import argparse
import io
import ipaddress
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple
from werkzeug.wrappers import Response

from local.services.aws import HEALTH
from local.services.aws_rotation import adapt
from local.services.aws_state import StateError, StateFile

_ALLOWED = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.77.0.0/24"))

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class SavingApplication:
    """Wraps moto's application; saves before it answers."""

    def __init__(self, application: Application, state: StateFile) -> None:
        self._application = application
        self._state = state
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == HEALTH:
            return Response("ok\n")(environ, start_response)
        if path.startswith("/moto-api"):
            return Response("closed in this environment\n", 403)(environ, start_response)
        if length := environ.get("CONTENT_LENGTH"):
            # Read before the lock is taken: a slow client must not hold up the others.
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
        with self._lock:
            answer = Response.from_app(self._application, environ, buffered=True)
            if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                self._state.save()
        return answer(environ, start_response)


class _QuietHandler(MotoRequestHandler):
    """Logs no request lines: their query strings carry signatures."""

    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="STAND-IN for AWS; keeps its state in a file")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--host", type=ipaddress.ip_address, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    if not any(arguments.host in network for network in _ALLOWED):
        parser.error(
            f"--host {arguments.host}: only loopback and the node's own network are allowed, "
            "because every access key is accepted"
        )
    return arguments


def main() -> None:
    """Serve until SIGTERM. Ends with a message and status 1 when the state is refused."""
    arguments = _arguments()
    adapt()
    state = StateFile(arguments.state)
    try:
        loaded = state.load()
    except StateError as error:
        sys.exit(str(error))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"AWS stand-in (moto) on {arguments.host}:{arguments.port},", flush=True, end=" ")
    print(f"state {arguments.state} {'loaded' if loaded else 'empty'}", flush=True)
    run_simple(
        str(arguments.host),
        arguments.port,
        SavingApplication(DomainDispatcherApplication(create_backend_app), state),
        threaded=True,
        request_handler=_QuietHandler,
    )


if __name__ == "__main__":
    main()
