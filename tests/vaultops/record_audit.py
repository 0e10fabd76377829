"""Records the shapes of a real Vault's audit log for benchmarks/audit_shapes.jsonl.

Owns what is done to the server while it records, and taking everything out that belongs to that one
run: identifiers, addresses, times and keyed hashes become named places that the replay fills. The
server, its database and its API server are real or stand-ins on loopback, as in the tests beside.

    python -m tests.vaultops.record_audit benchmarks/audit_shapes.jsonl
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions

from local.node.forwards import free_port
from local.paths import Instance
from local.services import postgresql
from tests.local.direct_node import DirectNode
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


@dataclass(frozen=True)
class Recorder:
    """Does something to the server and keeps what its log gained."""

    rig: Rig
    out: Path

    def keep(self, kind: str, act: Callable[[], Any]) -> Any:
        """`act`'s answer; a refusal by Vault is what some kinds are about."""
        before = self.rig.audit_log.stat().st_size
        answer = None
        with suppress(hvac.exceptions.VaultError):
            answer = act()
        with self.rig.audit_log.open("rb") as log:
            log.seek(before)
            lines = log.read().decode().splitlines()
        entries = [without_this_run(json.loads(line)) for line in lines]
        with self.out.open("a") as out:
            out.write(json.dumps({"kind": kind, "entries": entries}) + "\n")
        return answer


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


def record(rig: Rig, out: Path, pg: postgresql.PostgresService, reviewer: str) -> None:
    """One of each kind."""
    recorder = Recorder(rig, out)
    root = rig.root_token()
    with rig.active_client(root) as client:
        prepare(client, pg, reviewer)
        recorder.keep("generate-root", lambda: client.adapter.put("/v1/sys/generate-root/attempt"))
        client.adapter.delete("/v1/sys/generate-root/attempt")
        recorder.keep("root-read", lambda: client.adapter.get("/v1/secret/data/ml/model"))
    jwt = fake_jwt(TRAINER)
    with rig.active_client() as nobody:
        answer = recorder.keep("login", lambda: log_in(nobody, TRAINER, jwt))
    with rig.active_client(answer["client_token"]) as job:
        work(recorder, job)
    with rig.active_client() as nobody:
        deployer = log_in(nobody, DEPLOYER, fake_jwt(DEPLOYER))["client_token"]
    with rig.active_client(deployer) as client:
        changes(recorder, client)
    with rig.active_client("hvs.fake-token-that-nobody-issued") as bad:
        recorder.keep("bad-token", lambda: bad.adapter.get("/v1/secret/data/ml/model"))
        wrong = {"role": TRAINER.name, "jwt": fake_jwt(DEPLOYER)}
        recorder.keep("login-failed", lambda: bad.login("/v1/auth/kubernetes/login", json=wrong))


def prepare(client: hvac.Client, pg: postgresql.PostgresService, reviewer: str) -> None:
    """The mounts, roles and values that are read later."""
    put = client.adapter.post
    put("/v1/sys/mounts/secret", json={"type": "kv", "options": {"version": "2"}})
    put("/v1/sys/mounts/transit", json={"type": "transit"})
    put("/v1/sys/mounts/database", json={"type": "database"})
    put("/v1/sys/auth/kubernetes", json={"type": "kubernetes"})
    put(
        "/v1/auth/kubernetes/config",
        json={"kubernetes_host": reviewer, "disable_local_ca_jwt": True},
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


def main() -> None:
    out = Path(sys.argv[1])
    out.unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        api_server() as reviewer,
        database(Path(folder)) as pg,
    ):
        (Path(folder) / "rig").mkdir()
        rig = Rig(Path(folder) / "rig", reviewer)
        with running(rig):
            bootstrap.run(rig.target, rig.custodian, rig.options(), lambda _s, _m: None)
            record(rig, out, pg, reviewer)


if __name__ == "__main__":
    main()
