"""A real Vault cluster on loopback: built servers, Raft over TLS, KMS seal against moto.

Owns the processes and their folder. Everything the servers say is kept in `vault-N.log` there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import boto3
import hvac
from moto.server import ThreadedMotoServer

from tests.vaultops.certificates import issue
from tests.vaultops.quorum import root_token
from tests.vaultops.stand_ins import fake_jwt
from vaultops.custody import InitRecord
from vaultops.custody_file import FileCustodian
from vaultops.identity import Role, log_in
from vaultops.options import BootstrapOptions
from vaultops.state import observe
from vaultops.target import AddressTarget
from vaultops.upgrade import healthy
from vaultops.wait import wait_for

REGION = "eu-central-1"
SECONDS = 180.0  # for whatever is waited for: a busy machine is no failure
FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
}


@cache
def vault_binary() -> Path:
    """The built server: named by STRONGROOM_VAULT, on PATH, or from the toolchain."""
    found = os.environ.get("STRONGROOM_VAULT") or shutil.which("vault")
    if found:
        return Path(found)
    from local.toolchain import ensure

    return ensure(["vault"])["vault"]


@contextmanager
def kms(port: int = 0) -> Iterator[str]:
    """A moto server's endpoint; its keys are this process's, and outlive the server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def kms_key(endpoint: str) -> str:
    """A new key's id."""
    client = boto3.client(
        "kms",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    key: str = client.create_key()["KeyMetadata"]["KeyId"]
    return key


@dataclass
class Rig:
    """`replicas` servers under `folder`; `endpoint` and `key` None make a Shamir seal."""

    folder: Path
    api_server: str
    replicas: int = 3
    endpoint: str | None = None
    key: str | None = None
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ca = issue(self.folder / "tls")
        self.ports = _free_ports(2 * self.replicas)
        for ordinal in range(self.replicas):
            (self.folder / f"data-{ordinal}").mkdir()
            (self.folder / f"vault-{ordinal}.hcl").write_text(self._config(ordinal))

    @property
    def target(self) -> AddressTarget:
        """How vaultops reaches the servers."""
        addresses = tuple(f"https://127.0.0.1:{p}" for p in self.ports[: self.replicas])
        return AddressTarget(addresses=addresses, ca_file=str(self.ca))

    @property
    def custodian(self) -> FileCustodian:
        """Where the shares go."""
        return FileCustodian(self.folder / "custody" / "vault-init.json")

    @property
    def audit_log(self) -> Path:
        """The file device; one for all servers, who append to it."""
        return self.folder / "audit.log"

    def options(self, deadline: float = SECONDS) -> BootstrapOptions:
        """A bootstrap of these servers."""
        return BootstrapOptions(
            issue_jwt=fake_jwt,
            auto_unseal=self.key is not None,
            audit_file=str(self.audit_log),
            kubernetes_auth={
                "kubernetes_host": self.api_server,
                "kubernetes_ca_cert": self.ca.read_text(),
                "disable_local_ca_jwt": True,
            },
            server_stabilization_time="1s",
            deadline=deadline,
        )

    def start(self, *ordinals: int) -> None:
        """Start the servers, all by default."""
        for ordinal in ordinals or range(self.replicas):
            log = (self.folder / f"vault-{ordinal}.log").open("ab")
            with log:
                self.processes[ordinal] = subprocess.Popen(
                    [vault_binary(), "server", f"-config={self.folder}/vault-{ordinal}.hcl"],
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **FAKE_AWS},
                )

    def stop(self, *ordinals: int) -> None:
        """Kill the servers, all by default."""
        for ordinal in ordinals or tuple(self.processes):
            process = self.processes.pop(ordinal)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()

    def await_answers(self) -> None:
        """Wait until every server answers, sealed or not."""

        def probe() -> str | None:
            silent = [r.name for r in observe(self.target).replicas if not r.answers]
            return f"no answer from {', '.join(silent)}" if silent else None

        self._await(probe, "the servers to answer")

    def await_joined(self) -> None:
        """Wait until one server leads and all follow."""
        self._await(lambda: observe(self.target).missing or None, "one cluster")

    def await_leader_other_than(self, ordinal: int) -> None:
        """Wait until another server leads and all follow."""

        def probe() -> str | None:
            now = observe(self.target)
            return now.missing or (f"{ordinal} leads" if now.active == ordinal else None)

        self._await(probe, "another leader")

    def await_healthy(self, token: str) -> None:
        """Wait until every server is a healthy voter, so that any one may be lost."""
        self._await(lambda: healthy(self.target, token), "three healthy voters")

    def _await(self, probe: Callable[[], str | None], what: str) -> None:
        fix = f"see {self.folder}/vault-*.log"
        wait_for(probe, what=what, where=str(self.folder), seconds=SECONDS, fix=fix)

    def signal(self, ordinal: int, number: signal.Signals) -> None:
        """Send one server a signal."""
        self.processes[ordinal].send_signal(number)

    def log_in(self, role: Role) -> str:
        """A token of the role, from the active server."""
        with self.active_client() as client:
            token: str = log_in(client, role, fake_jwt(role))["client_token"]
        return token

    @contextmanager
    def active_client(self, token: str | None = None) -> Iterator[hvac.Client]:
        """A client of the active server; a busy machine may have them elect another first."""
        active: list[int] = []

        def probe() -> str | None:
            found = observe(self.target).active
            active[:] = [] if found is None else [found]
            return None if active else "no server is active"

        self._await(probe, "an active server")
        with self.target.pod_client(active[0], token) as client:
            yield client

    def record(self) -> InitRecord:
        """What the custodian keeps."""
        record = self.custodian.load()
        assert record is not None, "the custodian keeps no record"
        return record

    def root_token(self) -> str:
        """What the holders of the kept shares can make together. Revoke it after use."""
        with self.active_client() as client:
            return root_token(client, self.record())

    def files_that_hold(self, secret: str) -> list[str]:
        """Names of all files in the rig's folder with `secret` in them."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [str(f.relative_to(self.folder)) for f in files if secret.encode() in f.read_bytes()]

    def restart(self) -> None:
        """Kill every server and start all anew."""
        self.stop()
        self.start()

    def audit_entries(self) -> list[dict[str, object]]:
        """The audit log, parsed."""
        return [json.loads(line) for line in self.audit_log.read_text().splitlines()]

    def _config(self, ordinal: int) -> str:
        tls = self.folder / "tls"
        # One server keeps its lead; of several a busy machine takes it within half a second.
        patience = 1 if self.replicas == 1 else 3
        api, cluster = self.ports[ordinal], self.ports[self.replicas + ordinal]
        joins = "\n".join(
            f'  retry_join {{\n    leader_api_addr = "https://127.0.0.1:{port}"\n'
            f'    leader_ca_cert_file = "{self.ca}"\n  }}'
            for port in self.ports[: self.replicas]
        )
        seal = (
            f'seal "awskms" {{\n  region = "{REGION}"\n  kms_key_id = "{self.key}"\n'
            f'  endpoint = "{self.endpoint}"\n}}\n'
            if self.key
            else ""
        )
        return (
            f'disable_mlock = true\napi_addr = "https://127.0.0.1:{api}"\n'
            f'cluster_addr = "https://127.0.0.1:{cluster}"\n'
            f'storage "raft" {{\n  path = "{self.folder}/data-{ordinal}"\n'
            f'  node_id = "vault-{ordinal}"\n  performance_multiplier = {patience}\n{joins}\n}}\n'
            f'listener "tcp" {{\n  address = "127.0.0.1:{api}"\n'
            f'  cluster_address = "127.0.0.1:{cluster}"\n'
            f'  tls_cert_file = "{tls}/tls.crt"\n  tls_key_file = "{tls}/tls.key"\n'
            f'  tls_min_version = "tls13"\n}}\n{seal}'
        )


@contextmanager
def running(rig: Rig) -> Iterator[Rig]:
    """The rig with its servers started; every process has ended afterwards."""
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()
