"""What a connection that goes wrong is called: nobody there, or somebody who is not trusted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import hvac.exceptions
import pytest

from tests.vaultops.certificates import issue
from vaultops.certificates import served
from vaultops.errors import UnreachableError, VaultOpsError
from vaultops.target import AddressTarget


@pytest.fixture
def hanging_up() -> Iterator[str]:
    """An address where each connection is taken and closed, as a forward to a starting pod does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(65536)

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def test_a_connection_closed_within_the_handshake_is_nobody_there(
    hanging_up: str, tmp_path: Path
) -> None:
    target = AddressTarget(addresses=(hanging_up,), ca_file=str(issue(tmp_path / "tls")))
    with pytest.raises(UnreachableError, match="does not answer"), target.pod_client(0) as client:
        client.sys.read_seal_status()
    with pytest.raises(UnreachableError, match="does not answer"):
        served(target, 0)


def test_an_answer_between_two_leaders_is_nobody_there_for_now(tmp_path: Path) -> None:
    """Who waits for a healthy cluster waits on, as an upgrade does after the step-down."""
    answer = "local node not active but active cluster node not found"
    target = AddressTarget(addresses=("https://127.0.0.1:1",), ca_file=str(tmp_path))
    with pytest.raises(UnreachableError, match="no leader"), target.pod_client(0):
        raise hvac.exceptions.InternalServerError(errors=[answer])
    with pytest.raises(VaultOpsError, match="Vault refuses the request"), target.pod_client(0):
        raise hvac.exceptions.InternalServerError(errors=["fake: another failure"])
