"""A bootstrap that is killed goes on where it was: one initialisation, no key lost, same end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hvac
import hvac.adapters
import pytest
import requests

from tests.vaultops.interrupted import killed_after_message, killed_after_new_write
from tests.vaultops.rig import SECONDS, Rig, kms, kms_key, running
from vaultops import bootstrap
from vaultops.errors import DeniedError, VaultOpsError, WaitedTooLongError
from vaultops.identity import deployer_role
from vaultops.state import BootstrapState, observe

pytestmark = pytest.mark.e2e

MOMENTS = (
    "the cluster is uninitialised",
    "shares are kept",
    "a leader is unsealed",
    "servers follow one leader",
    "audit devices",
    "autopilot is healthy",
    "policies of the deployer",
    "login at auth/deployer",
    "the root token is revoked",
    "lookup-self with the root token is denied",
    "the deployer logs in",
)

WRITES = (
    "sys/audit/stdout",
    "sys/audit/file",
    "sys/storage/raft/autopilot/configuration",
    "sys/policy/strongroom-deployer",
    "sys/policy/strongroom-operator",
    "sys/auth/deployer",
    "auth/deployer/config",
    "auth/deployer/role/operator",
    "auth/deployer/role/strongroom",
    "auth/deployer/login",
    "auth/token/revoke-self",
)


@pytest.fixture
def rig(tmp_path: Path, kubernetes_api: str, kms_endpoint: str) -> Iterator[Rig]:
    key = kms_key(kms_endpoint)
    with running(Rig(tmp_path, kubernetes_api, replicas=1, endpoint=kms_endpoint, key=key)) as rig:
        yield rig


def assert_same_end(rig: Rig, root_token: str) -> None:
    """The state of a bootstrap that nobody disturbed."""
    result = bootstrap.run(rig.target, rig.custodian, rig.options())
    assert result.completed_state is BootstrapState.DEPLOYER_CREDENTIAL
    record = rig.record()
    assert record.root_token is None
    assert [path.name for path in rig.custodian.path.parent.iterdir()] == ["vault-init.json"]
    assert root_token not in _text(rig)
    configured = rig.root_token()  # the shares in custody are those of this cluster
    with rig.active_client(configured) as client:
        assert set(client.sys.list_enabled_audit_devices()["data"]) == {"stdout/", "file/"}
        assert set(client.sys.list_policies()["data"]["keys"]) == {
            "default",
            "root",
            "strongroom-deployer",
            "strongroom-operator",
        }
        assert set(client.sys.list_auth_methods()["data"]) == {"token/", "deployer/"}
        roles = client.adapter.request("list", "/v1/auth/deployer/role")["data"]["keys"]
        assert set(roles) == {"operator", "strongroom"}
        accessors = client.adapter.request("list", "/v1/auth/token/accessors")["data"]["keys"]
        found = [client.auth.token.lookup_accessor(a)["data"]["policies"] for a in accessors]
        assert found.count(["root"]) == 1, "another root token is alive beside this test's own"
        client.auth.token.revoke_self()
    assert rig.log_in(deployer_role())


def _text(rig: Rig) -> str:
    return rig.custodian.path.read_text() + (rig.folder / "vault-0.log").read_text()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_after_a_state_the_next_run_reaches_the_same_end(rig: Rig, moment: str) -> None:
    assert killed_after_message(rig, moment) == -signal.SIGKILL
    record = rig.custodian.load()
    assert (record is None) is (moment == MOMENTS[0])
    root_token = (record.root_token if record else None) or "no root token any more"
    assert_same_end(rig, root_token)


def test_killed_after_each_write_it_only_ever_goes_on(rig: Rig) -> None:
    """One cluster, killed after the first write, then after the next new one, until the end."""
    assert killed_after_message(rig, "shares are kept") == -signal.SIGKILL
    record = rig.record()
    seen = rig.folder / "killed-after.txt"
    while (code := killed_after_new_write(rig, seen)) != 0:
        assert code == -signal.SIGKILL
        assert rig.record().shares == record.shares
    assert seen.read_text().splitlines() == [f"{write} 1" for write in WRITES] + [
        "auth/token/revoke-self 2"  # the first is the deployer's, this one the root token's
    ]
    assert_same_end(rig, record.root_token or "")


def test_a_cluster_that_lost_its_record_is_not_initialised_again(rig: Rig) -> None:
    killed_after_message(rig, "shares are kept")
    rig.custodian.path.unlink()
    with pytest.raises(DeniedError, match="the custodian holds no record") as stuck:
        bootstrap.run(rig.target, rig.custodian, rig.options())
    assert "delete its volumes" in str(stuck.value)
    assert not rig.custodian.path.exists()


def test_the_servers_may_die_as_well(rig: Rig) -> None:
    assert killed_after_message(rig, "policies of the deployer") == -signal.SIGKILL
    root_token = rig.record().root_token or ""
    rig.stop()
    rig.start()
    assert_same_end(rig, root_token)


def test_a_kms_that_refuses_ends_in_one_clear_error(
    tmp_path: Path, kubernetes_api: str, kms_endpoint: str
) -> None:
    """The key is gone: the server ends at its start, and the wait says so and what to do."""
    rig = Rig(tmp_path, kubernetes_api, replicas=1, endpoint=kms_endpoint, key="fake-key")
    with running(rig):
        with pytest.raises(WaitedTooLongError, match="waited 5 s for every Vault") as late:
            bootstrap.run(rig.target, rig.custodian, rig.options(deadline=5))
        rig.processes[0].wait(SECONDS)
    assert f"no answer from {rig.target.name(0)}" in str(late.value)
    assert "the pods' logs say why" in str(late.value)
    assert rig.custodian.load() is None
    assert "fake-key" in (tmp_path / "vault-0.log").read_text()


def test_a_kms_that_falls_silent_is_named_and_the_way_out_too(
    tmp_path: Path, kubernetes_api: str
) -> None:
    """Vault cannot undo a half-made initialisation; what it would have held is nothing yet."""
    with ExitStack() as servers:
        with kms() as endpoint:
            key = kms_key(endpoint)
            rig = Rig(tmp_path, kubernetes_api, replicas=1, endpoint=endpoint, key=key)
            servers.enter_context(running(rig))
            rig.await_answers()
        with pytest.raises(VaultOpsError, match="Vault refuses to initialise") as refused:
            bootstrap.run(rig.target, rig.custodian, rig.options())
        assert "connection refused" in refused.value.why
        assert "check the key, its policy" in refused.value.fix
        with pytest.raises(WaitedTooLongError) as late:
            bootstrap.run(rig.target, rig.custodian, rig.options(deadline=1))
        assert "delete its volumes and run `up` again" in late.value.fix
        assert rig.custodian.load() is None


def test_shares_that_cannot_be_kept_are_said_to_be_lost_and_the_way_out_too(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills between the check and the write."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(rig.custodian), "store", full)
    with pytest.raises(VaultOpsError, match="its shares may not have been kept") as lost:
        bootstrap.run(rig.target, rig.custodian, rig.options())
    assert "No space left" in lost.value.why
    assert str(rig.custodian.path) in lost.value.where
    assert "delete its volumes" in lost.value.fix


def test_an_initialisation_whose_answer_is_lost_names_the_way_out(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = hvac.adapters.JSONAdapter.put

    def late(adapter: hvac.adapters.JSONAdapter, url: str, **options: Any) -> Any:
        put(adapter, url, **options)
        raise requests.exceptions.ReadTimeout("fake: too late")

    rig.await_answers()
    monkeypatch.setattr(hvac.adapters.JSONAdapter, "put", late)
    with pytest.raises(VaultOpsError, match="did not answer to its initialisation") as lost:
        bootstrap.run(rig.target, rig.custodian, rig.options())
    assert lost.value.why == "ReadTimeout"
    assert "delete its volumes" in lost.value.fix
    monkeypatch.undo()
    with pytest.raises(DeniedError, match="the custodian holds no record"):
        bootstrap.run(rig.target, rig.custodian, rig.options())


def test_the_custodian_is_proven_before_vault_is_asked(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    blocked = type(rig.custodian)(tmp_path / "in-the-way" / "vault-init.json")
    with pytest.raises(VaultOpsError, match="Vault was not initialised"):
        bootstrap.run(rig.target, blocked, rig.options())
    assert observe(rig.target).state is BootstrapState.UNINITIALISED
