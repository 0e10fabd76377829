"""What is said of a server that is not there, or not what it should be; and how TLS is set."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rotation.credential import Credential
from rotation.errors import UnreachableError, UntrustedError
from rotation.postgresql import Route, can_log_in, session, trust
from tests.vaultops.certificates import issue

LOGIN = Credential(
    host="db.fake.example", database="fake", username="app", password="fake-password"
)


@contextmanager
def server(
    answer: bytes, then: Callable[[socket.socket], None] = lambda _: None
) -> Iterator[Route]:
    """Answers the first request of one client with `answer`, does `then`, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client, _ = listening.accept()
            with client:
                received.append(client.recv(1024))
                client.sendall(answer)
                then(client)

        received: list[bytes] = []
        thread = threading.Thread(target=serve)
        thread.start()
        yield Route(address=("127.0.0.1", listening.getsockname()[1]), timeout=5)
        thread.join(10)
        assert received == [bytes.fromhex("0000000804d2162f")], "nothing but the request for TLS"


@pytest.mark.parametrize(
    ("answer", "why"),
    [(b"N", "speaks no TLS"), (b"", "hung up"), (b"Sno handshake", "TLS failed")],
)
def test_no_login_is_sent_without_tls(answer: bytes, why: str) -> None:
    with server(answer) as route, pytest.raises(UntrustedError, match=why) as raised:
        can_log_in(LOGIN, route)
    assert "db.fake.example:5432" in str(raised.value)
    assert "fake-password" not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "authority", "why"),
    [
        ("db.fake.example", "own", "is not valid for 'db.fake.example'"),
        ("localhost", "other", "certificate was refused"),
    ],
)
def test_another_name_or_authority_is_refused(
    tmp_path: Path, host: str, authority: str, why: str
) -> None:
    authorities = {name: issue(tmp_path / name).read_text() for name in ("own", "other")}
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "own" / "tls.crt", tmp_path / "own" / "tls.key")
    after: list[str] = []

    def secure(client: socket.socket) -> None:
        try:
            with served.wrap_socket(client, server_side=True) as secured:
                after.append(f"read {len(secured.recv(1024))} bytes")
        except OSError:
            after.append("ended by the client")

    with server(b"S", secure) as route, pytest.raises(UntrustedError, match=why):
        can_log_in(
            replace(LOGIN, host=host),
            replace(route, tls=trust(authorities[authority])),
        )
    assert after == ["ended by the client"]


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with (
        pytest.raises(UnreachableError, match=r"db\.fake\.example:5432"),
        session(LOGIN, Route(address=("127.0.0.1", port))),
    ):
        pass


def test_certificate_and_name_are_always_verified() -> None:
    tls = Route().tls
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    assert tls.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_given_authorities_are_the_only_ones(tmp_path: Path) -> None:
    authority = issue(tmp_path).read_text()
    (only,) = trust(authority).get_ca_certs()
    assert "fake test CA" in str(only["subject"])
    with pytest.raises(ssl.SSLError):
        trust("no certificate")
