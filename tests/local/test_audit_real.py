"""A real Vault's audit log, from its devices to the answers; and a reader that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import pytest

from access.grant import Grant
from access.policy_hcl import render
from audit import gaps, reports
from audit.backend import rows_of
from audit.unused import UnusedRight, unused
from local.paths import Instance
from tests.e2e.vault_and_postgresql import Servers, running
from tests.unit.audit.entries import (
    calls,
    events_of,
    expected,
    ids,
    problems_of,
    read_into,
    tables_of,
    write,
)
from tests.unit.support.stacks import REPOSITORY

# The first run may build the tools, which takes minutes.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

PASSWORD = "fake-password-that-no-file-may-hold"
GRANT = Grant(
    name="ml-training",
    service_accounts=("trainer",),
    namespaces=("ml",),
    secrets=("secret/ml/mlflow", "secret/ml/never"),
    database=("ml-readonly",),
)


@dataclass(frozen=True)
class Lived:
    """What a real Vault did, as its two devices wrote it."""

    first: Path
    second: Path
    lease: str


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A job that reads, gets a login and is refused; wrong credentials; work with a root token."""
    folder = tmp_path_factory.mktemp("lived")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        with running(Instance("test-audit"), folder) as servers:
            first, second = folder / "audit.log", folder / "second.log"
            for path in (first, second):
                options = {"file_path": str(path)}
                servers.vault.sys.enable_audit_device("file", path=path.stem, options=options)
            _set_up(servers)
            lease = _work(servers.vault)
            yield Lived(first, second, lease)


def _set_up(servers: Servers) -> None:
    vault, database = servers.vault, servers.database
    vault.sys.enable_secrets_engine("database")
    vault.secrets.database.configure(
        "postgresql",
        plugin_name="postgresql-database-plugin",
        allowed_roles=["ml-readonly"],
        connection_url="postgresql://{{username}}:{{password}}@127.0.0.1:"
        f"{database.host_port}/{database.database}?sslmode=verify-full"
        f"&sslrootcert={database.ca_file}",
        username=database.vault_user,
        password=database.vault_password_file.read_text(),
    )
    creation = (
        "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';"
    )
    vault.secrets.database.create_role("ml-readonly", "postgresql", [creation], default_ttl="1h")
    vault.sys.create_or_update_policy(GRANT.name, render(GRANT.policy))
    vault.sys.enable_auth_method("approle")
    role = {"token_policies": GRANT.name, "token_no_default_policy": True, "token_ttl": "10m"}
    vault.write_data("auth/approle/role/job", data=role)
    vault.secrets.kv.v2.create_or_update_secret("ml/mlflow", secret={"password": PASSWORD})


def _work(vault: hvac.Client) -> str:
    """What happens in the log; the lease that the job got."""
    role_id = vault.read("auth/approle/role/job/role-id")["data"]["role_id"]
    secret_id = vault.write_data("auth/approle/role/job/secret-id", data={})["data"]["secret_id"]
    job = hvac.Client(url=vault.url)
    job.auth.approle.login(role_id, secret_id)
    job.secrets.kv.v2.read_secret_version("ml/mlflow", raise_on_deleted_version=True)
    lease: str = job.read("database/creds/ml-readonly")["lease_id"]
    stranger = hvac.Client(url=vault.url, token="fake-token")
    for client in (job, stranger):
        with pytest.raises(hvac.exceptions.Forbidden):
            client.read("secret/data/ml/other")
    with pytest.raises(hvac.exceptions.InvalidRequest):
        hvac.Client(url=vault.url).auth.approle.login(role_id, "fake-secret-id")
    return lease


def test_who_got_which_database_login(lived: Lived, tmp_path: Path) -> None:
    store, outcome = read_into(tmp_path / "store", lived.first)
    assert (outcome.problems, outcome.unfinished) == (0, [])
    assert outcome.events == len(lived.first.read_bytes().splitlines())
    (login,) = rows_of(reports.leases(tables_of(store).events))
    assert (login["subject"], login["role"]) == ("approle/job", "job")
    assert (login["path"], login["lease_id"]) == ("database/creds/ml-readonly", lived.lease)
    evidence = lived.first.read_bytes().splitlines()[login["line"] - 1]
    assert json.loads(evidence)["response"]["secret"]["lease_id"] == lived.lease


def test_two_devices_tell_one_story(lived: Lived, tmp_path: Path) -> None:
    alone, _ = read_into(tmp_path / "alone", lived.first)
    both, outcome = read_into(tmp_path / "both", lived.first, lived.second)
    in_second = len(lived.second.read_bytes().splitlines())
    assert 0 < outcome.known <= in_second
    # Beyond what the first wrote, the second has only its own probe.
    beyond = set(ids(both)) - set(ids(alone))
    assert len(beyond) == in_second - outcome.known == 1
    assert len(ids(both)) == len(set(ids(both)))
    assert rows_of(reports.by_path(tables_of(both).events)) == rows_of(
        reports.by_path(tables_of(alone).events)
    )


def test_refusals_changes_and_root(lived: Lived, tmp_path: Path) -> None:
    tables = tables_of(read_into(tmp_path / "store", lived.first, lived.second)[0])
    refused = {
        (one["subject"], one["path"]): one["requests"]
        for one in rows_of(reports.denials(tables.events))
    }
    assert refused == {
        ("approle/job", "secret/data/ml/other"): 1,
        (None, "secret/data/ml/other"): 1,
        (None, "auth/approle/login"): 1,
    }
    changed = {one["path"] for one in rows_of(reports.changes(tables.events))}
    assert {"sys/policies/acl/ml-training", "sys/auth/approle", "auth/approle/role/job"} <= {
        path.replace("sys/policy/", "sys/policies/acl/") for path in changed
    }
    assert {one["subject"] for one in rows_of(reports.root_use(tables.events))} == {"root"}
    assert rows_of(gaps.halves(tables.events)) == []


def test_granted_minus_used(lived: Lived, tmp_path: Path) -> None:
    tables = tables_of(read_into(tmp_path / "store", lived.first)[0])
    (found,) = unused([GRANT], rows_of(reports.granted(tables.events)))
    assert found.unused == (UnusedRight(path="secret/data/ml/never", capabilities=("read",)),)


def test_no_secret_and_no_hash_is_kept(lived: Lived, tmp_path: Path) -> None:
    store, _ = read_into(tmp_path / "store", lived.first, lived.second)
    kept = rows_of(tables_of(store).events)
    text = repr(kept)
    assert "hmac-sha256" not in text
    assert PASSWORD not in text


READER = """
import sys
from pathlib import Path
from audit.read import read
from audit.store import Store

read(Store(Path(sys.argv[1])), [Path(sys.argv[2])], slice_bytes=2**20)
"""


def test_a_reader_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    lines = calls(range(5_000))
    lines[6_001] = b'{"cut'
    log = write(tmp_path / "audit.log", lines)
    folder = tmp_path / "store"
    killed = 0
    ended = None
    while ended is None:
        ended = _read_until_progress(folder, log)
        killed += ended is None
    assert ended == 0
    assert killed >= 3
    store, outcome = read_into(folder, log)
    assert outcome.events == 0
    whole = expected(range(5_000))
    whole.remove(("00000000-0000-4000-8001-000000003000", "response"))
    assert ids(store) == whole
    assert [line for _, line, _ in problems_of(store)] == [6_002]
    assert [one["line"] for one in events_of(store)][:3] == [1, 2, 3]


def _read_until_progress(folder: Path, log: Path) -> int | None:
    """Kill a reader after it has committed something new; its status when it ended before."""
    manifest = folder / "manifest.json"
    before = manifest.read_bytes() if manifest.exists() else b""
    reader: subprocess.Popen[Any] = subprocess.Popen(
        [sys.executable, "-c", READER, folder, log],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    deadline = time.monotonic() + 120
    while reader.poll() is None:
        assert time.monotonic() < deadline, "the reader committed nothing within 120 s"
        if manifest.exists() and manifest.read_bytes() != before:
            reader.send_signal(signal.SIGKILL)
            return None if reader.wait() == -signal.SIGKILL else reader.returncode
    return reader.returncode


def test_the_command_tells_it_all(lived: Lived) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "report", lived.first, lived.second, "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(told.stdout)
    assert found["leases"][0]["lease_id"] == lived.lease
    assert found["problems"] == []
