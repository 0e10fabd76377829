"""A fake cluster for the command line: fake Vault servers over real TLS behind a fake kubectl.

Only as much of Vault's API as the commands use; whoever reads a test sees what it was told.
"""

from __future__ import annotations

import hashlib
import io
import json
import ssl
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.vaultops.certificates import issue

FAKE_SHARES = ("fake-share-one", "fake-share-two")
FAKE_TOKEN = "fake-operator-token"
FAKE_ROOT = "fake-root-token"
FAKE_KUBECTL = """\
#!/bin/sh
# A fake of kubectl: the objects are files, a port forward leads to a fake server.
folder=$(dirname "$0")
echo "$*" >> "$folder/calls"
case "$*" in
  *"get configmap vault-ca"*) cat "$folder/ca.json" ;;
  *"create token strongroom-operator"*) echo fake.jwt.operator ;;
  *"port-forward"*) pod=$(echo "$*" | sed 's|.*pod/vault-\\([0-9]*\\) .*|\\1|')
    echo "Forwarding from 127.0.0.1:$(cat "$folder/port-$pod") -> 8200"; exec sleep 30 ;;
  *"get pod vault-0 vault-1 vault-2 "*) cat "$folder/pods.json"
    mv "$folder/pods-later.json" "$folder/pods.json" 2> /dev/null || : ;;
  *"get statefulset"* | *"get pod"*) echo revision-one ;;
  *"delete pod vault-0 vault-1 vault-2 --wait"*) echo deleted ;;
  *) echo "the fake does not know: $*" >&2; exit 1 ;;
esac
"""


def fake_pods(ready: bool) -> str:
    """What kubectl says of the servers' pods; the first is the active one."""
    conditions = [{"type": "Ready", "status": str(ready)}]
    names = ("vault-0", "vault-1", "vault-2")
    return json.dumps(
        {
            "items": [
                {
                    "metadata": {"name": n, "labels": {"vault-active": str(n == names[0]).lower()}},
                    "status": {"conditions": conditions},
                }
                for n in names
            ]
        }
    )


def fake_snapshot() -> bytes:
    """A whole snapshot in Vault's form, without data."""
    parts = {"meta.json": b"{}", "state.bin": b"fake state"}
    sums = "".join(f"{hashlib.sha256(p).hexdigest()}  {n}\n" for n, p in parts.items())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in {**parts, "SHA256SUMS": sums.encode()}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@dataclass
class FakeCluster:
    """`sealed` says how each server stands; `requests` is what they were asked, in order."""

    folder: Path
    sealed: list[bool] = field(default_factory=lambda: [False] * 3)
    seal_type: str = "awskms"
    healthy: bool = True
    shares: dict[int, set[str]] = field(default_factory=lambda: {n: set() for n in range(3)})
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    restored: bytes | None = None

    def answer(self, ordinal: int, path: str, token: str | None, body: bytes) -> tuple[int, Any]:
        """Status and answer of one request."""
        self.requests.append((path, token))
        match path:
            case "sys/seal-status":
                return 200, self._status(ordinal)
            case "sys/leader":
                leader = next((n for n, sealed in enumerate(self.sealed) if not sealed), None)
                return 200, {
                    "is_self": ordinal == leader,
                    "leader_cluster_address": f"https://vault-{leader}:8201",
                }
            case "sys/unseal":
                return self._unseal(ordinal, json.loads(body))
            case "auth/deployer/login":
                return 200, {"auth": {"client_token": FAKE_TOKEN}}
            case "auth/token/create" if token == FAKE_ROOT:
                return 200, {"auth": {"client_token": "fake-mark-of-the-old-data"}}
            case "auth/token/revoke-self":
                return 204, None
            case "sys/storage/raft/autopilot/state" if token == FAKE_TOKEN:
                return 200, {"data": {"healthy": self.healthy, "voters": ["a", "b", "c"]}}
            case "sys/storage/raft/snapshot" if token == FAKE_TOKEN:
                return 200, fake_snapshot()
            case "sys/storage/raft/snapshot-force" if token == FAKE_ROOT:
                self.restored = body
                return 204, None
        return 403, {"errors": ["permission denied"]}

    def _status(self, ordinal: int) -> dict[str, Any]:
        return {
            "type": self.seal_type,
            "recovery_seal_type": "shamir",
            "initialized": True,
            "sealed": self.sealed[ordinal],
            "t": 2,
            "progress": len(self.shares[ordinal]),
            "version": "1.21.0",
            "cluster_id": "fake-cluster-id",
        }

    def _unseal(self, ordinal: int, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("reset"):
            self.shares[ordinal].clear()
            return 200, self._status(ordinal)
        self.shares[ordinal].add(body["key"])
        if len(self.shares[ordinal]) == len(FAKE_SHARES):
            if self.shares[ordinal] != set(FAKE_SHARES):
                return 400, {"errors": ["failed to decrypt"]}
            self.sealed[ordinal] = False
            self.shares[ordinal].clear()
        return 200, self._status(ordinal)


@contextmanager
def fake_cluster(folder: Path, *, days: int = 2) -> Iterator[FakeCluster]:
    """Three servers, and `folder/kubectl` to reach them; put the folder on PATH.

    Their certificate ends after `days`; 0: it has ended.
    """
    cluster = FakeCluster(folder)
    issue(folder / "tls", days=days)
    ca = (folder / "tls" / "ca.crt").read_text()
    (folder / "ca.json").write_text(json.dumps({"data": {"ca.crt": ca}}))
    # Not ready when asked first, ready from then on.
    (folder / "pods.json").write_text(fake_pods(ready=False))
    (folder / "pods-later.json").write_text(fake_pods(ready=True))
    write_kubectl(folder, FAKE_KUBECTL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls" / "tls.crt", folder / "tls" / "tls.key")
    servers = [_server(cluster, ordinal, context) for ordinal in range(3)]
    threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in servers]
    for ordinal, (server, thread) in enumerate(zip(servers, threads, strict=True)):
        (folder / f"port-{ordinal}").write_text(str(server.server_port))
        thread.start()
    try:
        yield cluster
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def write_kubectl(folder: Path, text: str) -> None:
    """Make `text` the kubectl of `folder`."""
    (folder / "kubectl").write_text(text)
    (folder / "kubectl").chmod(0o755)


def _server(cluster: FakeCluster, ordinal: int, context: ssl.SSLContext) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = cluster.answer(
                ordinal, self.path.removeprefix("/v1/"), self.headers.get("X-Vault-Token"), body
            )
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            content = b"" if answer is None else content
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server
