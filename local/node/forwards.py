"""Loopback ports of the host that lead into the node's namespace: their record and their traffic.

The listening sockets are the host's; only the outgoing ones belong to the namespace. The record is
what `Node.forward` writes and the keeper follows, so forwards come back after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from local.node.errors import NodeError

LOOPBACK = "127.0.0.1"
_CHUNK = 64 * 1024
_PORTS = range(20000, 32000)


@dataclass(frozen=True)
class Forward:
    """127.0.0.1:`host_port` leads to `target_host`:`target_port` inside the namespace."""

    host_port: int
    target_host: str
    target_port: int


def read(path: Path) -> dict[str, Forward]:
    """The recorded forwards by name; none when there is no record. Raises ValueError if damaged."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    return {name: Forward(**fields) for name, fields in json.loads(text).items()}


@contextlib.contextmanager
def changing(path: Path) -> Iterator[dict[str, Forward]]:
    """Change the record under a lock: what the caller leaves in the mapping is written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        forwards = read(path)
        before = dict(forwards)
        yield forwards
        if forwards != before:
            partial = path.with_suffix(".partial")
            partial.write_text(json.dumps({n: asdict(f) for n, f in forwards.items()}, indent=2))
            partial.replace(path)


def free_port() -> int:
    """A loopback port that nobody listens on now, below those that outgoing connections take."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise NodeError(f"every port of {LOOPBACK} from {_PORTS.start} to {_PORTS.stop - 1} is taken")


class Forwarder:
    """Serves a changing set of forwards. `make_socket` makes the outgoing sockets."""

    def __init__(self, make_socket: Callable[[], socket.socket]) -> None:
        self._make_socket = make_socket
        self._servers: dict[Forward, asyncio.Server] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def follow(self, wanted: set[Forward]) -> list[str]:
        """Open and close ports until exactly `wanted` is served; returns what failed."""
        for forward in set(self._servers) - wanted:
            self._servers.pop(forward).close()
        problems = []
        for forward in wanted - set(self._servers):
            try:
                self._servers[forward] = await asyncio.start_server(
                    self._handler(forward), LOOPBACK, forward.host_port
                )
            except OSError as error:
                problems.append(f"{LOOPBACK}:{forward.host_port}: {os.strerror(error.errno or 0)}")
        return problems

    def _handler(
        self, forward: Forward
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(forward, reader, writer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return accept

    async def _serve(
        self, forward: Forward, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        outgoing: socket.socket | None = None
        try:
            outgoing = await loop.run_in_executor(None, self._make_socket)
            outgoing.setblocking(False)
            async with asyncio.timeout(10):
                await loop.sock_connect(outgoing, (forward.target_host, forward.target_port))
            far_reader, far_writer = await asyncio.open_connection(sock=outgoing)
        except (OSError, TimeoutError):
            if outgoing is not None:
                outgoing.close()
            _reset(writer)
            return
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        except OSError:
            _reset(writer)
            _reset(far_writer)
        finally:
            for end in (writer, far_writer):
                end.close()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        await self.follow(set())
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection so that the peer sees an error, not an orderly end."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until the source ends, then say so to the sink, which may go on sending."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        with contextlib.suppress(OSError):
            sink.write_eof()
