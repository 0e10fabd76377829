"""Engines and auth methods by the real engine and plugin, on a real Vault and a real PostgreSQL.

AWS is moto, which checks every key and right. The Vault is a dev server: what is tested here is
configuration, not the cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event

import hvac
import psycopg
import pytest

from local.paths import REPOSITORY, Instance
from rotation.drivers import vault_aws_root
from rotation.drivers.aws_keys import KeysOf
from rotation.steps import Pending, Run
from tests.e2e.engines_stack import BIND_PASSWORD, EnginesStack, as_aws_prints
from tests.e2e.vault_and_postgresql import running
from tests.e2e.waiting import wait_until
from tests.local.rotation_aws import VAULT, fake_aws

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
        patch.setenv("PYTHONPATH", str(REPOSITORY))  # a process of its own runs `RootKeyProvider`
        with (
            fake_aws() as aws,
            running(Instance("test-engines"), folder / "servers") as servers,
        ):
            made = EnginesStack(servers, aws, folder / "stack")
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


def test_a_client_that_comes_back_at_once_keeps_no_session_of_a_revoked_login(
    stack: EnginesStack,
) -> None:
    for _ in range(10):
        lease = stack.servers.vault.read("database/creds/ml-readonly")
        _revoke_under(stack, lease["lease_id"], lease["data"])


def _revoke_under(stack: EnginesStack, lease: str, login: dict[str, str]) -> None:
    servers, ended = stack.servers, Event()

    def come_back() -> None:
        while not ended.is_set():
            with suppress(psycopg.OperationalError):
                session = servers.login(login["username"], login["password"])
                while not ended.is_set():
                    session.execute("SELECT pg_sleep(0.01)")

    def sessions() -> int:
        with servers.database.connect_as_admin() as admin:
            # By number: a session that outlives its role has no name.
            query = "SELECT FROM pg_stat_activity WHERE usesysid = %s"
            return len(admin.execute(query, [role]).fetchall())

    with servers.database.connect_as_admin() as admin:
        query = "SELECT oid FROM pg_roles WHERE rolname = %s"
        (role,) = admin.execute(query, [login["username"]]).fetchone() or (0,)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(come_back)
        try:
            wait_until("a session", lambda: sessions() > 0)
            servers.vault.write_data("sys/leases/revoke", data={"lease_id": lease, "sync": True})
            wait_until("no session", lambda: sessions() == 0, 20)
        finally:
            ended.set()


def test_the_first_passwords_are_dead_and_vaults_own_work(stack: EnginesStack) -> None:
    servers = stack.servers
    assert servers.refuses("vault", servers.database.vault_password_file.read_text())
    assert servers.refuses("tracking", "fake-password-of-a-user")
    held = servers.vault.read("database/static-creds/ml-tracking")["data"]
    servers.login("tracking", held["password"]).close()


def test_vaults_aws_key_is_rotated(stack: EnginesStack) -> None:
    assert aws_key(stack) == stack.aws.vault[0]
    rotate_aws_key(stack)
    assert not stack.aws.works(stack.aws.vault)
    assert gives_aws_credentials(stack)


def test_another_up_changes_and_rotates_nothing(stack: EnginesStack) -> None:
    before = stack.servers.verifier("vault"), stack.servers.verifier("tracking")
    rotated = aws_key(stack)
    stack.up("--expect-no-changes")
    stack.run("refresh", "--yes")
    stack.key_file.write_text("")
    stack.up("--expect-no-changes")
    assert before == (stack.servers.verifier("vault"), stack.servers.verifier("tracking"))
    assert list(stack.aws.keys(VAULT)) == [rotated] == [aws_key(stack)]
    assert gives_aws_credentials(stack)


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


def test_another_endpoint_alone_is_refused_and_the_key_kept(stack: EnginesStack) -> None:
    rotated, engine = aws_key(stack), stack.engines["aws"]
    stack.engines["aws"] = {**engine, "endpoint": engine["endpoint"].replace("127.0.0.1", "[::1]")}
    with pytest.raises(AssertionError, match="add 1 to the version"):
        stack.up()
    stack.engines["aws"] = engine
    assert aws_key(stack) == rotated
    assert gives_aws_credentials(stack)


def test_a_grown_version_hands_over_the_files_key_and_another_endpoint(stack: EnginesStack) -> None:
    before = aws_key(stack)
    second = new_aws_key(stack)
    stack.engines["aws"]["rootKey"]["version"] = 2
    with pytest.raises(AssertionError, match="the file holds no access key"):
        stack.up()
    assert aws_key(stack) == before
    stack.key_file.write_text(as_aws_prints(second))
    stack.engines["aws"]["endpoint"] = stack.aws.endpoint.replace("127.0.0.1", "localhost")
    stack.up()
    written = stack.servers.vault.read("aws/config/root")["data"]
    assert written["access_key"] == second[0]
    assert written["iam_endpoint"] == stack.engines["aws"]["endpoint"]
    delete_aws_key(stack, before)
    rotate_aws_key(stack)
    assert gives_aws_credentials(stack)


def test_no_aws_key_is_in_the_state_in_clear_or_encrypted(stack: EnginesStack) -> None:
    state = stack.exported()
    assert str(stack.key_file) in state
    assert BIND_PASSWORD in state, "decrypted, the state shows what it holds of other credentials"
    written = json.loads(stack.key_file.read_text())["AccessKey"]["SecretAccessKey"]
    log = (stack.servers.folder / "vault.log").read_text()
    for key in (stack.aws.vault[1], written):
        assert key not in state
        assert key not in log


def test_without_the_setting_vault_is_its_pods_again(stack: EnginesStack) -> None:
    key = stack.engines["aws"].pop("rootKey")
    stack.up()
    assert aws_key(stack) == ""
    stack.engines["aws"]["rootKey"] = key
    for old in stack.aws.keys(VAULT):
        delete_aws_key(stack, old)
    stack.key_file.write_text(as_aws_prints(new_aws_key(stack)))
    stack.up()
    assert gives_aws_credentials(stack)


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


def aws_key(stack: EnginesStack) -> str:
    """The id of the key that Vault has; "" when it is its pods."""
    return str(stack.servers.vault.read("aws/config/root")["data"]["access_key"])


def gives_aws_credentials(stack: EnginesStack) -> bool:
    given = stack.servers.vault.read("aws/sts/ml-s3-access")["data"]
    return bool(given["access_key"] and given["security_token"])


def rotate_aws_key(stack: EnginesStack) -> None:
    """Every step of the rotation kind; never more than two keys at any time."""

    @contextmanager
    def clients() -> Iterator[hvac.Client]:
        yield stack.servers.vault

    iam = stack.aws.client("iam", as_pair(stack.aws.rotator))
    facts: dict[str, str] = {}
    for step in vault_aws_root.steps(clients, KeysOf(client=iam, user=VAULT)):
        found = step.act(Run(id="fake", since=0, now=0, facts=facts))
        assert not isinstance(found, Pending), found
        facts |= found
        assert len(stack.aws.keys(VAULT)) <= 2
    assert list(stack.aws.keys(VAULT)) == [facts["new"]]


def new_aws_key(stack: EnginesStack) -> tuple[str, str]:
    iam = stack.aws.client("iam", as_pair(stack.aws.rotator))
    made = iam.create_access_key(UserName=VAULT)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def delete_aws_key(stack: EnginesStack, key: str) -> None:
    iam = stack.aws.client("iam", as_pair(stack.aws.rotator))
    iam.delete_access_key(UserName=VAULT, AccessKeyId=key)


def as_pair(environment: dict[str, str]) -> tuple[str, str]:
    return environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
