from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.node import forwards, preflight
from local.node.errors import NodeError
from local.node.forwards import Forward, Forwarder


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers only after the client has ended its half of the connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection:
            received = b""
            while data := connection.recv(65536):
                received += data
            connection.sendall(received.upper())

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def free_ports() -> tuple[int, int]:
    """Two that differ: one call knows nothing of what another has given."""
    first = forwards.free_port()
    return first, next(port for port in iter(forwards.free_port, None) if port != first)


def plain_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


async def ask(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


def test_data_flows_both_ways_after_the_client_said_it_is_done(echo: int) -> None:
    async def scenario() -> None:
        forwarder = Forwarder(plain_socket)
        port = forwards.free_port()
        assert await forwarder.follow({Forward(port, "127.0.0.1", echo)}) == []
        large = b"abc" * 500_000
        answers = tuple(await asyncio.gather(ask(port, large), ask(port, b"hello")))
        assert answers == (large.upper(), b"HELLO")
        await forwarder.close()

    asyncio.run(scenario())


def test_a_forward_is_added_and_removed_while_running(echo: int) -> None:
    async def scenario() -> None:
        forwarder = Forwarder(plain_socket)
        first, second = (Forward(port, "127.0.0.1", echo) for port in free_ports())
        await forwarder.follow({first})
        await forwarder.follow({first, second})
        assert await ask(second.host_port, b"b") == b"B"
        await forwarder.follow({second})
        with pytest.raises(ConnectionRefusedError):
            await ask(first.host_port, b"a")
        assert await ask(second.host_port, b"c") == b"C"
        await forwarder.close()

    asyncio.run(scenario())


def test_a_taken_port_is_reported_and_the_others_are_served(echo: int) -> None:
    async def scenario() -> None:
        forwarder = Forwarder(plain_socket)
        good = Forward(forwards.free_port(), "127.0.0.1", echo)
        problems = await forwarder.follow({Forward(echo, "127.0.0.1", 1), good})
        assert len(problems) == 1
        assert f"127.0.0.1:{echo}" in problems[0]
        assert await ask(good.host_port, b"a") == b"A"
        await forwarder.close()

    asyncio.run(scenario())


def test_a_dead_target_closes_the_connection() -> None:
    async def scenario() -> None:
        forwarder = Forwarder(plain_socket)
        port, closed = free_ports()
        forward = Forward(port, "127.0.0.1", closed)
        await forwarder.follow({forward})
        with pytest.raises(ConnectionResetError):
            await ask(forward.host_port, b"a")
        await forwarder.close()

    asyncio.run(scenario())


def test_the_record_keeps_what_two_writers_add(tmp_path: Path) -> None:
    record = tmp_path / "node" / "forwards.json"

    def add(number: int) -> None:
        with forwards.changing(record) as recorded:
            recorded[f"f{number}"] = Forward(20000 + number, "10.77.0.2", 80)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(forwards.read(record)) == 10


def test_a_failed_change_is_not_recorded(tmp_path: Path) -> None:
    record = tmp_path / "forwards.json"

    def refused() -> None:
        with forwards.changing(record) as recorded:
            recorded["f"] = Forward(20000, "10.77.0.2", 80)
            raise NodeError("refused")

    with pytest.raises(NodeError):
        refused()
    assert forwards.read(record) == {}


def test_the_owner_of_a_taken_port_is_named(echo: int) -> None:
    with pytest.raises(NodeError, match=rf"port {echo} of 127\.0\.0\.1 is taken by pid \d+ \("):
        preflight.require_free_port(echo, "forward vault")
    preflight.require_free_port(forwards.free_port(), "forward vault")
