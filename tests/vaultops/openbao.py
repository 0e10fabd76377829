"""A real OpenBao server on loopback: one server, Raft storage, TLS, one share.

Owns the process and its folder. The audit device is part of the configuration: OpenBao's API makes
none unless that is allowed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import hvac
import requests

from local.node.forwards import free_port
from tests.vaultops.certificates import issue
from vaultops.wait import wait_for


def binary() -> Path:
    """The server: named by STRONGROOM_OPENBAO, or `bao` on PATH. LookupError without one."""
    found = os.environ.get("STRONGROOM_OPENBAO") or shutil.which("bao")
    if not found:
        raise LookupError("no OpenBao: name its binary in STRONGROOM_OPENBAO, or put bao on PATH")
    return Path(found)


@dataclass(frozen=True, kw_only=True)
class OpenBao:
    """A running, unsealed server. `token` is its first root token."""

    url: str
    ca: Path
    audit_log: Path
    token: str

    def root_token(self) -> str:
        """The root token that the server was made with."""
        return self.token

    @contextmanager
    def active_client(self, token: str | None = None) -> Iterator[hvac.Client]:
        """A client of the server."""
        with _client(self.url, self.ca, token) as client:
            yield client


@contextmanager
def running(folder: Path) -> Iterator[OpenBao]:
    """A new server with its files in `folder`; its process has ended afterwards."""
    ca = issue(folder / "tls")
    (folder / "data").mkdir()
    port, audit_log = free_port(), folder / "audit.log"
    config, server_log = folder / "openbao.hcl", folder / "openbao.log"
    config.write_text(_config(folder, port, audit_log))
    with server_log.open("ab") as log:
        process = subprocess.Popen(
            [binary(), "server", f"-config={config}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
    try:
        url = f"https://127.0.0.1:{port}"
        yield OpenBao(url=url, ca=ca, audit_log=audit_log, token=_initialise(url, ca, folder))
    finally:
        process.kill()
        process.wait()


@contextmanager
def _client(url: str, ca: Path, token: str | None = None) -> Iterator[hvac.Client]:
    with requests.Session() as session:
        session.verify = str(ca)
        session.trust_env = False
        yield hvac.Client(url=url, token=token, session=session)


def _initialise(url: str, ca: Path, folder: Path) -> str:
    with _client(url, ca) as client:

        def answers() -> str | None:
            with suppress(requests.ConnectionError):
                client.adapter.get("/v1/sys/seal-status")
                return None
            return "no connection"

        def leads() -> str | None:
            return None if client.sys.read_leader_status()["is_self"] else "no leader yet"

        fix = f"see {folder}/openbao.log"
        wait_for(answers, what="the server to answer", where=url, seconds=30, fix=fix)
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        client.sys.submit_unseal_key(made["keys_base64"][0])
        wait_for(leads, what="the server to lead", where=url, seconds=30, fix=fix)
        token: str = made["root_token"]
        return token


def _config(folder: Path, port: int, audit_log: Path) -> str:
    tls = folder / "tls"
    return (
        f'api_addr = "https://127.0.0.1:{port}"\n'
        f'cluster_addr = "https://127.0.0.1:{free_port()}"\n'
        f'storage "raft" {{\n  path = "{folder}/data"\n  node_id = "openbao-0"\n}}\n'
        f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n'
        f'  tls_cert_file = "{tls}/tls.crt"\n  tls_key_file = "{tls}/tls.key"\n'
        f'  tls_min_version = "tls13"\n}}\n'
        f'audit "file" "to-file" {{\n  options {{\n    file_path = "{audit_log}"\n  }}\n}}\n'
    )
