"""Engines and auth methods by the real engine and plugin, on a real Vault and a real PostgreSQL.

The Vault is a dev server: what is tested here is configuration, not the cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

import hvac
import psycopg
import pytest

from local.paths import Instance
from tests.e2e.engines_stack import BIND_PASSWORD, EnginesStack
from tests.e2e.vault_and_postgresql import running

# The first run may build the tools, which takes minutes.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnginesStack]:
    """Everything deployed from nothing, once: each test leaves it working."""
    folder = tmp_path_factory.mktemp("engines")
    for name in ("servers", "stack"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        with running(Instance("test-engines"), folder / "servers") as servers:
            made = EnginesStack(servers, folder / "stack")
            made.up()
            yield made
            made.run("destroy", "--yes", "--skip-preview")


def test_a_login_is_made_used_renewed_and_ended(stack: EnginesStack) -> None:
    vault, servers = stack.servers.vault, stack.servers
    for role, may_write in (("ml-readonly", False), ("ml-readwrite", True)):
        lease = vault.read(f"database/creds/{role}")
        session = servers.login(lease["data"]["username"], lease["data"]["password"])
        assert session.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        if may_write:
            session.execute("INSERT INTO experiments (name) VALUES ('fake')")
        for forbidden in ("DELETE FROM experiments", "DROP TABLE runs", "CREATE TABLE mine ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(forbidden)
        vault.sys.renew_lease(lease["lease_id"], increment=7200)
        vault.write_data("sys/leases/revoke", data={"lease_id": lease["lease_id"], "sync": True})
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert servers.made_logins() == []


def test_the_first_passwords_are_dead_and_vaults_own_work(stack: EnginesStack) -> None:
    servers = stack.servers
    assert servers.refuses("vault", servers.database.vault_password_file.read_text())
    assert servers.refuses("tracking", "fake-password-of-a-user")
    held = servers.vault.read("database/static-creds/ml-tracking")["data"]
    servers.login("tracking", held["password"]).close()


def test_another_up_changes_and_rotates_nothing(stack: EnginesStack) -> None:
    before = stack.servers.verifier("vault"), stack.servers.verifier("tracking")
    stack.up("--expect-no-changes")
    stack.run("refresh", "--yes")
    stack.up("--expect-no-changes")
    assert before == (stack.servers.verifier("vault"), stack.servers.verifier("tracking"))


def test_a_changed_connection_keeps_the_rotated_password(stack: EnginesStack) -> None:
    before = stack.servers.verifier("vault")
    stack.password_file.write_text("")
    stack.engines["database"]["roles"].append({"name": "ml-extra"})
    stack.up()
    assert stack.servers.verifier("vault") == before
    assert stack.servers.vault.read("database/creds/ml-extra")["data"]["username"]


def test_a_new_version_hands_over_a_new_password_and_rotates_it(stack: EnginesStack) -> None:
    stack.servers.set_password("vault", "fake-second-password")
    stack.password_file.write_text("fake-second-password\n")
    stack.engines["database"]["passwordVersion"] = 2
    stack.up()
    assert stack.servers.refuses("vault", "fake-second-password")
    assert stack.servers.vault.read("database/creds/ml-readonly")["data"]["username"]


def test_no_credential_is_in_clear_in_state_or_logs(stack: EnginesStack) -> None:
    servers = stack.servers
    made = servers.vault.read("database/creds/ml-readonly")["data"]["password"]
    held = servers.vault.read("database/static-creds/ml-tracking")["data"]["password"]
    first = servers.database.vault_password_file.read_text()
    log = servers.database_log.read_text() + (servers.folder / "vault.log").read_text()
    state = stack.state_files()
    assert "database-connection" in state
    for credential in (made, held, first, BIND_PASSWORD):
        assert credential not in state
        assert credential not in log


def test_certificates_are_for_the_roles_domain_only(stack: EnginesStack) -> None:
    path = "pki-int/issue/serving"
    issued = stack.servers.vault.write_data(
        path, data={"common_name": "ml-serving.svc.cluster.local"}
    )
    assert issued["data"]["ca_chain"]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="not allowed by this role"):
        stack.servers.vault.write_data(path, data={"common_name": "vault.vault.svc.cluster.local"})


def test_a_transit_key_cannot_be_deleted_or_exported(stack: EnginesStack) -> None:
    vault = stack.servers.vault
    with pytest.raises(hvac.exceptions.InvalidRequest, match="deletion is not allowed"):
        vault.delete("transit/keys/ml-models")
    with pytest.raises(hvac.exceptions.InvalidRequest, match="not exportable"):
        vault.read("transit/export/encryption-key/ml-models")


def test_a_secret_id_logs_in_once(stack: EnginesStack) -> None:
    vault = stack.servers.vault
    role = vault.read("auth/approle/role/batch/role-id")["data"]["role_id"]
    secret = vault.write_data("auth/approle/role/batch/secret-id")["data"]["secret_id"]
    credentials = {"role_id": role, "secret_id": secret}
    login = vault.write_data("auth/approle/login", data=credentials)
    assert login["auth"]["policies"] == ["batch"]
    with pytest.raises(hvac.exceptions.InvalidRequest, match="invalid"):
        vault.write_data("auth/approle/login", data=credentials)


def test_destroying_ends_open_logins_and_leaves_nothing(stack: EnginesStack) -> None:
    servers = stack.servers
    lease = servers.vault.read("database/creds/ml-readonly")["data"]
    session = servers.login(lease["username"], lease["password"])
    stack.run("destroy", "--yes", "--skip-preview")
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    assert servers.made_logins() == []
    mounted = servers.vault.sys.list_mounted_secrets_engines()["data"]
    assert not {"database/", "aws/", "pki/", "pki-int/", "transit/"} & set(mounted)
    assert set(servers.vault.sys.list_auth_methods()["data"]) == {"token/"}
    servers.set_password("vault", "fake-third-password")
    stack.password_file.write_text("fake-third-password")
    stack.up()
    assert servers.refuses("vault", "fake-third-password")
