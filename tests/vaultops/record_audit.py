"""Records what a real Vault and a real OpenBao write to their audit logs about the same calls.

Owns what is done to the server while it records, and taking everything out that belongs to that
one run. In a file of shapes (for the replay) identifiers, addresses, times and keyed hashes become
named places; in a log they become fakes, and times stay. The server, its database and its API
server are real or stand-ins on loopback, as in the tests beside. What only one of the servers
knows is asked of both, in the same order.

    python -m tests.vaultops.record_audit vault --shapes benchmarks/audit_shapes.jsonl
    python -m tests.vaultops.record_audit vault --log tests/unit/audit/calls_vault.jsonl
    python -m tests.vaultops.record_audit openbao --log tests/unit/audit/calls_openbao.jsonl
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import hvac
import hvac.exceptions

from local.node.forwards import free_port
from local.paths import Instance
from local.services import postgresql
from local.services.direct_node import DirectNode
from tests.vaultops import openbao
from tests.vaultops.rig import Rig, running
from tests.vaultops.stand_ins import api_server, fake_jwt
from vaultops import bootstrap
from vaultops.identity import Role, log_in

# A member of an entry and the place that stands for it. Vault's own field names.
PLACES = {
    "time": "time",
    "id": "request",
    "entity_id": "entity",
    "remote_address": "address",
    "remote_port": "port",
    "display_name": "display",
    "path": "path",
    "lease_id": "lease",
    "client_id": "entity",
    "service_account_name": "account",
    "service_account_namespace": "namespace",
    "service_account_uid": "uid",
    "role": "role",
    "token_issue_time": "issued",
}
POLICY = """
path "secret/data/ml/*" { capabilities = ["read"] }
path "secret/metadata/ml/*" { capabilities = ["list", "read"] }
path "database/creds/train" { capabilities = ["read"] }
path "transit/encrypt/train" { capabilities = ["update"] }
path "auth/token/create" { capabilities = ["update"] }
"""
CHANGES = """
path "sys/*" { capabilities = ["create", "read", "update", "delete", "sudo"] }
path "secret/data/ml/*" { capabilities = ["create", "update"] }
"""


def _role(name: str, account: str) -> Role:
    return Role(
        name=name,
        service_account=account,
        audience="fake-audience",
        policy=f"fake-{name}",
        namespace="ml",
        mount="kubernetes",
    )


TRAINER, DEPLOYER = _role("train", "trainer"), _role("deploy", "deployer")


class Server(Protocol):
    """What is recorded: a Rig's servers, or an OpenBao."""

    @property
    def ca(self) -> Path:
        """The CA of its certificates."""

    @property
    def audit_log(self) -> Path:
        """Where it writes."""

    def root_token(self) -> str:
        """A root token."""

    def active_client(self, token: str | None = None) -> AbstractContextManager[hvac.Client]:
        """A client with that token."""


@dataclass(frozen=True)
class Recorder:
    """Does something to the server and keeps what its log gained."""

    server: Server
    kept: list[tuple[str, list[str]]] = field(default_factory=list)

    def keep(self, kind: str, act: Callable[[], Any]) -> Any:
        """`act`'s answer; a refusal by the server is what some kinds are about."""
        before = self.server.audit_log.stat().st_size
        answer = None
        with suppress(hvac.exceptions.VaultError):
            answer = act()
        with self.server.audit_log.open("rb") as log:
            log.seek(before)
            self.kept.append((kind, log.read().decode().splitlines()))
        return answer

    def shapes(self) -> str:
        """A line for each kind."""
        return "".join(
            json.dumps(
                {"kind": kind, "entries": [without_this_run(json.loads(line)) for line in lines]}
            )
            + "\n"
            for kind, lines in self.kept
        )

    def log(self) -> str:
        """The lines as the server wrote them, with fakes for all that belongs to this run."""
        text = "".join(line + "\n" for _kind, lines in self.kept for line in lines)
        return with_fakes(text)


def with_fakes(text: str) -> str:
    """The lines with the same fake for the same value, wherever it is."""
    met: dict[str, str] = {}

    def fake(value: re.Match[str]) -> str:
        return met.setdefault(value[0], f"fa4e0000-0000-4000-8000-{len(met):012d}")

    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fake, text)
    text = re.sub(r'"client_id":"[^"-]+"', '"client_id":"fake"', text)
    text = re.sub(r"hmac-sha256:[0-9a-f]{64}", "hmac-sha256:" + "fa4e" * 16, text)
    text = re.sub(r'_[0-9a-f]{8}"', '_fa4efa4e"', text)
    text = re.sub(r'("database/creds/train/)\w{24}"', r'\1fakefakefakefakefakefake"', text)
    return re.sub(r'"remote_port":\d+', '"remote_port":32768', text)


def without_this_run(value: Any) -> Any:
    """The entry with every value that belongs to this run replaced by its place."""
    if isinstance(value, dict):
        return {
            key: f"@{PLACES[key]}@" if _belongs_to_this_run(key, each) else without_this_run(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [without_this_run(each) for each in value]
    if value in (TRAINER.policy, DEPLOYER.policy):
        return "@policy@"
    if isinstance(value, str) and value.startswith("hmac-sha256:"):
        return "hmac-sha256:fake"
    if isinstance(value, str) and re.search(r"_[0-9a-f]{8}$", value):
        return re.sub(r"_[0-9a-f]{8}$", "_fake", value)
    return value


def _belongs_to_this_run(key: str, value: Any) -> bool:
    if key not in PLACES or value == "" or isinstance(value, dict | list):
        return False
    return not str(value).startswith("hmac-sha256:") and (key, value) != ("id", "root")


@contextmanager
def database(folder: Path) -> Iterator[postgresql.PostgresService]:
    """A real PostgreSQL whose roles Vault makes."""
    instance = Instance("record-audit")
    node = DirectNode(folder / "logs")
    try:
        yield postgresql.start(node, instance, port=free_port())
    finally:
        postgresql.stop(node, instance)


def record(server: Server, pg: postgresql.PostgresService, reviewer: str) -> Recorder:
    """One of each kind."""
    recorder = Recorder(server)
    with server.active_client(server.root_token()) as client:
        prepare(client, pg, reviewer, server.ca)
        root_makes(recorder, client)
        recorder.keep("root-read", lambda: client.adapter.get("/v1/secret/data/ml/model"))
        in_a_namespace(recorder, client)
    jwt = fake_jwt(TRAINER)
    with server.active_client() as nobody:
        answer = recorder.keep("login", lambda: log_in(nobody, TRAINER, jwt))
    with server.active_client(answer["client_token"]) as job:
        work(recorder, job)
    with server.active_client() as nobody:
        deployer = log_in(nobody, DEPLOYER, fake_jwt(DEPLOYER))["client_token"]
    with server.active_client(deployer) as client:
        changes(recorder, client)
    with server.active_client("hvs.fake-token-that-nobody-issued") as bad:
        recorder.keep("bad-token", lambda: bad.adapter.get("/v1/secret/data/ml/model"))
        wrong = {"role": TRAINER.name, "jwt": fake_jwt(DEPLOYER)}
        recorder.keep("login-failed", lambda: bad.login("/v1/auth/kubernetes/login", json=wrong))
    return recorder


def prepare(client: hvac.Client, pg: postgresql.PostgresService, reviewer: str, ca: Path) -> None:
    """The mounts, roles and values that are read later."""
    put = client.adapter.post
    put("/v1/sys/mounts/secret", json={"type": "kv", "options": {"version": "2"}})
    put("/v1/sys/mounts/transit", json={"type": "transit"})
    put("/v1/sys/mounts/database", json={"type": "database"})
    put("/v1/sys/auth/kubernetes", json={"type": "kubernetes"})
    put(
        "/v1/auth/kubernetes/config",
        json={
            "kubernetes_host": reviewer,
            "kubernetes_ca_cert": ca.read_text(),
            "disable_local_ca_jwt": True,
        },
    )
    for role, policy in ((TRAINER, POLICY), (DEPLOYER, CHANGES)):
        put(f"/v1/sys/policies/acl/{role.policy}", json={"policy": policy})
        bound = {
            "bound_service_account_names": [role.service_account],
            "bound_service_account_namespaces": [role.namespace],
            "audience": role.audience,
            "token_policies": [role.policy],
        }
        put(f"/v1/auth/kubernetes/role/{role.name}", json=bound)
    put("/v1/secret/data/ml/model", json={"data": {"key": "a-fake-value"}})
    put("/v1/transit/keys/train", json={})
    put(
        "/v1/database/config/train",
        json={
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": ["train"],
            "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:"
            f"{pg.host_port}/{pg.database}?sslmode=require",
            "username": pg.admin_user,
            "password": pg.admin_password_file.read_text(),
        },
    )
    put(
        "/v1/database/roles/train",
        json={
            "db_name": "train",
            "creation_statements": ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}';"],
            "default_ttl": "1h",
        },
    )


def root_makes(recorder: Recorder, client: hvac.Client) -> None:
    """The begin of a new root token, where either server has it."""
    for kind in ("generate-root", "generate-root-token"):
        attempt = f"/v1/sys/{kind}/attempt"
        recorder.keep(kind, partial(client.adapter.put, attempt))
        with suppress(hvac.exceptions.VaultError):
            client.adapter.delete(attempt)


def in_a_namespace(recorder: Recorder, client: hvac.Client) -> None:
    """What OpenBao has, and Vault sells."""
    adapter = client.adapter
    recorder.keep("namespace", lambda: adapter.put("/v1/sys/namespaces/team", json={}))
    mount = {"type": "kv"}
    recorder.keep("namespace-mount", lambda: adapter.post("/v1/team/sys/mounts/kv", json=mount))
    recorder.keep("namespace-list", lambda: adapter.list("/v1/team/kv"))


def changes(recorder: Recorder, client: hvac.Client) -> None:
    """What alters who may do what."""
    adapter = client.adapter
    other = {"policy": 'path "secret/data/fake" { capabilities = ["read"] }'}
    value = {"data": {"key": "a-fake-value"}}
    recorder.keep("kv-write", lambda: adapter.post("/v1/secret/data/ml/model", json=value))
    recorder.keep("policy-write", lambda: adapter.put("/v1/sys/policies/acl/fake", json=other))
    recorder.keep("policy-delete", lambda: adapter.delete("/v1/sys/policies/acl/fake"))
    recorder.keep("auth-enable", lambda: adapter.post("/v1/sys/auth/fake", json={"type": "jwt"}))
    recorder.keep("mount", lambda: adapter.post("/v1/sys/mounts/fake", json={"type": "kv"}))
    recorder.keep("unmount", lambda: adapter.delete("/v1/sys/mounts/fake"))
    recorder.keep("audit-disable", lambda: adapter.delete("/v1/sys/audit/no-such-device"))


def work(recorder: Recorder, job: hvac.Client) -> None:
    """What a job does, and what it is refused."""
    adapter = job.adapter
    text = {"plaintext": "ZmFrZQ=="}
    recorder.keep("kv-read", lambda: adapter.get("/v1/secret/data/ml/model"))
    recorder.keep("kv-list", lambda: adapter.list("/v1/secret/metadata/ml"))
    recorder.keep("database-creds", lambda: adapter.get("/v1/database/creds/train"))
    recorder.keep("encrypt", lambda: adapter.post("/v1/transit/encrypt/train", json=text))
    recorder.keep("renew", lambda: adapter.post("/v1/auth/token/renew-self", json={}))
    recorder.keep("lookup", lambda: adapter.get("/v1/auth/token/lookup-self"))
    recorder.keep("denied", lambda: adapter.get("/v1/secret/data/other/team"))
    recorder.keep("missing", lambda: adapter.get("/v1/secret/data/ml/no-such-secret"))
    recorder.keep(
        "token-create", lambda: adapter.post("/v1/auth/token/create", json={"ttl": "60s"})
    )
    wrapped = recorder.keep("wrap", lambda: adapter.get("/v1/secret/data/ml/model", wrap_ttl="60s"))
    with recorder.server.active_client(wrapped["wrap_info"]["token"]) as anyone:
        recorder.keep("unwrap", lambda: anyone.adapter.post("/v1/sys/wrapping/unwrap", json={}))
        recorder.keep(
            "unwrap-again", lambda: anyone.adapter.post("/v1/sys/wrapping/unwrap", json={})
        )
    recorder.keep("revoke", lambda: adapter.post("/v1/auth/token/revoke-self", json={}))


@contextmanager
def vault(folder: Path, reviewer: str) -> Iterator[Rig]:
    """A Vault as the bootstrap makes it."""
    rig = Rig(folder, reviewer)
    with running(rig):
        bootstrap.run(rig.target, rig.custodian, rig.options(), lambda _s, _m: None)
        yield rig


def main() -> None:
    parser = argparse.ArgumentParser(description="What a real server's audit log says.")
    parser.add_argument("server", choices=("vault", "openbao"))
    out = parser.add_mutually_exclusive_group(required=True)
    out.add_argument("--shapes", type=Path)
    out.add_argument("--log", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as own,
        api_server() as reviewer,
        database(Path(folder)) as pg,
        vault(Path(own), reviewer)
        if options.server == "vault"
        else openbao.running(Path(own)) as server,
    ):
        recorder = record(server, pg, reviewer)
    if options.shapes:
        options.shapes.write_text(recorder.shapes())
    else:
        options.log.write_text(recorder.log())


if __name__ == "__main__":
    main()
