"""From nothing to a deployer credential, on real servers sealed by a KMS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import hvac.exceptions
import pytest

from tests.vaultops.rig import SECONDS, Rig, kms_key, running
from vaultops import bootstrap
from vaultops.bootstrap import BootstrapResult
from vaultops.errors import DeniedError
from vaultops.identity import Role, deployer_role, operator_role
from vaultops.options import BootstrapOptions
from vaultops.policies import DEPLOYER_POLICY, deployer_policy
from vaultops.state import BootstrapState, observe
from vaultops.wait import wait_for

pytestmark = pytest.mark.e2e

SHUT = (
    ("get", "sys/audit"),
    ("put", "sys/audit/mine"),
    ("delete", "sys/audit/file"),
    ("get", f"sys/policies/acl/{DEPLOYER_POLICY}"),
    ("get", "auth/deployer/config"),
    ("post", "auth/deployer/role/strongroom"),
    ("delete", "sys/auth/deployer"),
    ("post", "sys/auth/deployer/tune"),
    ("post", "sys/mounts/auth/deployer/tune"),
    ("get", "sys/raw/core/keyring"),
    ("get", "sys/generate-root-token"),
    ("post", "auth/token/create"),
    ("put", "sys/seal"),
    ("get", "sys/storage/raft/snapshot"),
    ("get", "secret/data/fake"),
)


@dataclass
class Done:
    """A finished bootstrap with what it said and the root token that it used."""

    rig: Rig
    result: BootstrapResult | None = None
    root_token: str = ""
    said: list[tuple[BootstrapState, str]] = field(default_factory=list)

    def hear(self, state: BootstrapState, message: str) -> None:
        """Note a step, and the root token while it is in custody."""
        self.said.append((state, message))
        if message.startswith("shares are kept"):
            self.root_token = self.rig.record().root_token or ""


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str, kms_endpoint: str
) -> Iterator[Done]:
    folder = tmp_path_factory.mktemp("bootstrap")
    rig = Rig(folder, kubernetes_api, endpoint=kms_endpoint, key=kms_key(kms_endpoint))
    with running(rig):
        done = Done(rig)
        done.result = bootstrap.run(rig.target, rig.custodian, rig.options(), done.hear)
        yield done


def test_three_empty_servers_become_a_cluster_with_a_deployer(done: Done) -> None:
    assert done.result is not None
    assert done.result.initialised
    assert done.result.completed_state is BootstrapState.DEPLOYER_CREDENTIAL
    observation = observe(done.rig.target)
    assert observation.state is BootstrapState.JOINED
    assert done.result.cluster_id == observation.cluster_id != ""
    assert {replica.cluster_id for replica in observation.replicas} == {observation.cluster_id}
    done.rig.await_healthy(done.rig.log_in(operator_role()))


def test_each_state_is_told_once_and_in_order(done: Done) -> None:
    states = [state for state, message in done.said if not message.startswith("waiting for")]
    assert states == sorted(states, key=lambda state: state.rank)
    assert states[0] is BootstrapState.UNINITIALISED
    assert set(states) == {
        BootstrapState.UNINITIALISED,
        BootstrapState.INITIALISED,
        BootstrapState.UNSEALED,
        BootstrapState.JOINED,
        BootstrapState.AUDITED,
        BootstrapState.DEPLOYER_CREDENTIAL,
    }


def test_a_second_run_logs_in_and_changes_nothing(done: Done) -> None:
    custody = done.rig.custodian.path.read_bytes()
    before = len(done.rig.audit_entries())
    again = bootstrap.run(done.rig.target, done.rig.custodian, done.rig.options())
    assert done.result is not None
    assert again.initialised is False
    assert again.cluster_id == done.result.cluster_id
    assert done.rig.custodian.path.read_bytes() == custody
    assert [path.name for path in done.rig.custodian.path.parent.iterdir()] == ["vault-init.json"]
    paths = [_path(entry) for entry in done.rig.audit_entries()[before:]]
    assert set(paths) == {"auth/deployer/login", "auth/token/revoke-self"}


def test_the_root_token_is_dead_and_nowhere(done: Done) -> None:
    assert done.root_token.startswith("hvs.")
    with (
        done.rig.active_client(done.root_token) as client,
        pytest.raises(hvac.exceptions.Forbidden),
    ):
        client.auth.token.lookup_self()
    assert done.rig.record().root_token is None
    assert done.rig.files_that_hold(done.root_token) == []


def test_shares_are_in_custody_and_in_no_log(done: Done) -> None:
    record = done.rig.record()
    assert (len(record.shares), record.threshold) == (5, 3)
    for share in record.shares:
        assert done.rig.files_that_hold(share) == ["custody/vault-init.json"]


def test_the_kept_shares_still_command_the_cluster(done: Done) -> None:
    root = done.rig.root_token()
    with done.rig.active_client(root) as client:
        assert client.auth.token.lookup_self()["data"]["policies"] == ["root"]
        client.auth.token.revoke_self()


def test_audit_comes_before_every_configuration(done: Done) -> None:
    """The stdout device sees all that follows it; before it nothing but the root token acted."""
    log = (done.rig.folder / f"vault-{observe(done.rig.target).active}.log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    entries = [entry for entry in lines if entry.get("type") in ("request", "response")]
    entries = [entry for entry in entries if _path(entry) != "sys/audit/test"]  # Vault's own
    assert [(e["type"], _path(e)) for e in entries[:3]] == [
        ("response", "sys/audit/stdout"),
        ("request", "sys/audit/file"),
        ("response", "sys/audit/file"),
    ]
    first = next(e for e in done.rig.audit_entries() if _path(e) != "sys/audit/test")
    assert (first["type"], _path(first)) == ("response", "sys/audit/file")
    written = [
        _path(entry)
        for entry in done.rig.audit_entries()
        if entry["type"] == "request" and _operation(entry) in ("create", "update")
    ]
    assert written.index("sys/storage/raft/autopilot/configuration") < written.index(
        "sys/policy/strongroom-deployer"
    )
    assert done.rig.audit_log.stat().st_mode & 0o777 == 0o600


def _path(entry: dict[str, object]) -> str:
    request = entry["request"]
    assert isinstance(request, dict)
    return str(request["path"])


def _operation(entry: dict[str, object]) -> str:
    request = entry["request"]
    assert isinstance(request, dict)
    return str(request["operation"])


def test_autopilot_cleans_up_as_asked(done: Done) -> None:
    with done.rig.active_client(done.rig.log_in(operator_role())) as client:
        found = client.adapter.get("/v1/sys/storage/raft/autopilot/configuration")["data"]
    assert found["cleanup_dead_servers"] is True
    assert found["min_quorum"] == 3
    assert found["dead_server_last_contact_threshold"] == "24h0m0s"


def test_the_deployer_does_its_work(done: Done) -> None:
    token = done.rig.log_in(deployer_role())
    with done.rig.active_client(token) as client:
        client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        wait_for(
            lambda: _configure_kv(client),
            what="the new mount to be ready",
            where="secret/config",
            seconds=SECONDS,
            fix="see the log",
        )
        client.sys.create_or_update_acl_policy("fake-team", 'path "secret/data/x" {}')
        client.sys.enable_auth_method("kubernetes", path="kubernetes")
        client.adapter.post("/v1/auth/kubernetes/config", json=done.rig.options().kubernetes_auth)
        client.auth.kubernetes.create_role(
            "fake-team", ["trainer"], ["ml"], policies=["fake-team"], audience="vault"
        )
        assert client.auth.kubernetes.read_role("fake-team")["token_policies"] == ["fake-team"]
        assert observe(done.rig.target, token).state is BootstrapState.CONFIGURED
        client.sys.disable_auth_method("kubernetes")
        client.sys.disable_secrets_engine("secret")
        client.sys.delete_acl_policy("fake-team")
        client.auth.token.revoke_self()


def _configure_kv(client: hvac.Client) -> str | None:
    """A new KV v2 mount refuses for a moment, which is its own affair and no lack of a right."""
    try:
        client.secrets.kv.v2.configure(max_versions=7)
    except hvac.exceptions.InvalidRequest as reason:
        return str(reason)
    return None


@pytest.mark.parametrize(("method", "path"), SHUT)
def test_the_deployer_is_refused(done: Done, method: str, path: str) -> None:
    with (
        done.rig.active_client(done.rig.log_in(deployer_role())) as client,
        pytest.raises(hvac.exceptions.Forbidden, match="permission denied"),
    ):
        client.adapter.request(method, f"/v1/{path}", json={} if method != "get" else None)


@pytest.mark.parametrize(
    "name",
    [DEPLOYER_POLICY, "STRONGROOM-DEPLOYER", "strongRoom-deployer", "%20strongroom-deployer"],
)
def test_the_deployer_cannot_widen_its_own_policy(done: Done, name: str) -> None:
    """Vault reads a policy's name in lower case and without spaces around it."""
    wider = 'path "*" { capabilities = ["sudo"] }'
    with (
        done.rig.active_client(done.rig.log_in(deployer_role())) as client,
        pytest.raises(hvac.exceptions.Forbidden),
    ):
        client.adapter.put(f"/v1/sys/policies/acl/{name}", json={"policy": wider})
    root = done.rig.root_token()
    with done.rig.active_client(root) as client:
        found = client.sys.read_policy(DEPLOYER_POLICY)["data"]["rules"]
        client.auth.token.revoke_self()
    assert found == deployer_policy()


def test_a_deployer_token_is_short_lived_and_has_one_policy(done: Done) -> None:
    with done.rig.active_client(done.rig.log_in(deployer_role())) as client:
        found = client.auth.token.lookup_self()["data"]
    assert found["policies"] == [DEPLOYER_POLICY]
    assert found["creation_ttl"] == 3600


def test_another_service_account_is_no_deployer(done: Done) -> None:
    other = deployer_role("another-namespace")
    with pytest.raises(DeniedError, match="another-namespace/strongroom-deployer"):
        done.rig.log_in(other)


def test_a_record_of_another_cluster_ends_in_one_clear_error(done: Done, tmp_path: Path) -> None:
    """Custody was pointed elsewhere and the login is gone: no guess, no second initialisation."""
    rig = done.rig
    custodian = type(rig.custodian)(tmp_path / "another.json")
    options = BootstrapOptions(
        issue_jwt=rig.options().issue_jwt, deployer=deployer_role("another-namespace"), deadline=20
    )
    with pytest.raises(DeniedError, match="the custodian holds no record") as stuck:
        bootstrap.run(rig.target, custodian, options)
    assert "another.json" in stuck.value.where
    assert "correct custodian in the stack" in stuck.value.fix
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_gives_no_token_for_the_account_is_not_taken_for_a_vault_that_refuses(
    done: Done,
) -> None:
    """Neither a root token nor an emptied volume would help who lacks a right in the cluster."""

    def refused(_: Role) -> str:
        raise DeniedError("the cluster refuses this identity", where="fake", why="fake", fix="fake")

    options = BootstrapOptions(issue_jwt=refused, deadline=20)
    with pytest.raises(DeniedError, match="the cluster refuses this identity"):
        bootstrap.run(done.rig.target, done.rig.custodian, options)
