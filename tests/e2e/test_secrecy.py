"""No secret is where it does not belong: state, logs, arguments, environments, ConfigMaps."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from local.environment import Environment
from local.node import cgroups
from local.node.layout import Layout
from local.workload import SECRET, WRITER

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

# A root token is `hvs.` and 24 characters; other service tokens are longer.
ROOT_TOKEN = re.compile(rb"hvs\.[A-Za-z0-9]{24}(?![A-Za-z0-9_-])")
ANY_TOKEN = re.compile(rb"hv[sb]\.[A-Za-z0-9_-]{24,}")


def known_secrets(environment: Environment) -> dict[str, bytes]:
    """Every secret of the environment by a name that may be printed."""
    state = environment.instance.state_dir
    record = json.loads((state / "vault-init.json").read_text())
    mount, path = SECRET
    example = (
        environment.cluster()
        .login(*WRITER)
        .secrets.kv.v2.read_secret_version(
            path=path, mount_point=mount, raise_on_deleted_version=True
        )["data"]["data"]
    )
    return {
        **{f"recovery share {n}": share.encode() for n, share in enumerate(record["shares"], 1)},
        "deployer's token": (state / "vault-deployer-token").read_bytes().strip(),
        "state passphrase": (state / "pulumi-passphrase").read_bytes().strip(),
        "database administrator": (state / "postgresql/admin.password").read_bytes().strip(),
        "database user of Vault": (state / "postgresql/vault.password").read_bytes().strip(),
        **{f"example {key}": v.encode() for key, v in example.items() if key == "password"},
    }


def places(environment: Environment) -> Iterator[tuple[str, bytes]]:
    """Everything that many can read, or that is kept for long."""
    yield "exported state", json.dumps(environment.stack.export()).encode()
    yield "outputs", json.dumps(environment.stack.outputs()).encode()
    yield "configuration", environment.stack.config_file.read_bytes()
    layout = Layout(environment.instance)
    for log in environment.instance.logs.glob("*.log"):
        yield f"log {log.name}", log.read_bytes()
    for folder, _, names in os.walk(layout.pod_logs):
        for name in names:
            try:
                yield f"log {folder}/{name}", Path(folder, name).read_bytes()
            except FileNotFoundError:
                continue  # its pod is gone
    for pid in cgroups.processes(layout.cgroup):
        for kind in ("cmdline", "environ"):
            try:
                yield f"{kind} of process {pid}", Path(f"/proc/{pid}/{kind}").read_bytes()
            except OSError:
                continue  # it has ended
    api = environment.cluster().api()
    maps = client.CoreV1Api(api).list_config_map_for_all_namespaces().items
    for config_map in maps:
        where = f"ConfigMap {config_map.metadata.namespace}/{config_map.metadata.name}"
        yield where, json.dumps(config_map.data or {}).encode()


def test_no_secret_is_where_others_read(environment: Environment) -> None:
    secrets = known_secrets(environment)
    assert len(secrets) >= 10
    assert all(len(value) >= 16 for value in secrets.values())
    looked_at = 0
    found = []
    for where, content in places(environment):
        looked_at += 1
        found += [f"{name} in {where}" for name, value in secrets.items() if value in content]
        found += [f"a root token in {where}" for _ in ROOT_TOKEN.findall(content)]
        found += [f"a token in {where}" for _ in ANY_TOKEN.findall(content)]
    assert found == []
    assert looked_at > 30


def test_custody_holds_no_root_token_and_the_deployers_is_private(environment: Environment) -> None:
    record = json.loads((environment.instance.state_dir / "vault-init.json").read_text())
    assert record["root_token"] is None
    assert record["threshold"] == 3
    deployer = (environment.instance.state_dir / "vault-deployer-token").stat()
    assert deployer.st_mode & 0o777 == 0o600


def test_the_first_audit_entries_precede_every_configuration(environment: Environment) -> None:
    volumes = Layout(environment.instance).volumes
    logs = [
        gzip.decompress(log.read_bytes()).decode() if log.suffix == ".gz" else log.read_text()
        for log in volumes.glob("*/audit.log*")
    ]
    assert any(logs), "no audit log on any volume"
    # The active server goes on writing: its last line may not be whole.
    lines = [line for log in logs for line in log.splitlines(keepends=True)]
    entries = [json.loads(line) for line in lines if line.endswith("\n")]
    entries.sort(key=lambda entry: entry["time"])
    paths = [entry["request"]["path"] for entry in entries if entry["type"] == "request"]
    # The bootstrap's own; what the engine makes afterwards, it makes in any order.
    first_write = paths.index("sys/policy/strongroom-deployer")
    first_mount = paths.index("sys/mounts/secret")
    assert first_write < first_mount
    assert any(path.startswith("sys/audit") for path in paths[:first_write])
