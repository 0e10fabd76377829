"""A snapshot is worth what its restore gives back: into a new cluster, read by an old token."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hvac
import pytest
import requests
from hvac.api.system_backend.raft import Raft

from tests.vaultops.rig import Rig, kms_key, running
from vaultops import bootstrap
from vaultops.errors import DeniedError, DoubtError, VaultOpsError, WaitedTooLongError
from vaultops.identity import deployer_role, operator_role
from vaultops.initialise import initialise
from vaultops.snapshot import Snapshot, check_canary, restore, take, verify
from vaultops.state import BootstrapState, observe

pytestmark = pytest.mark.e2e

WRITTEN = "fake-canary-before-the-snapshot"
LATER = "fake-canary-after-the-snapshot"


def read_canary(client: hvac.Client) -> str:
    """What the canary's path holds."""
    found: str = client.adapter.get("/v1/canary/fake")["data"]["value"]
    return found


def never() -> None:
    """A restore that is refused restarts nothing."""
    raise AssertionError("the servers were restarted")


def served() -> None:
    """Servers that are called by their own addresses have no Service that could lag behind."""


@dataclass
class Taken:
    """A destroyed cluster's snapshot, with a token that could read the canary in it."""

    first: Rig
    snapshot: Snapshot
    reader: str
    cluster_id: str


@pytest.fixture(scope="module")
def taken(
    tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str, kms_endpoint: str
) -> Iterator[Taken]:
    folder = tmp_path_factory.mktemp("first")
    rig = Rig(folder, kubernetes_api, endpoint=kms_endpoint, key=kms_key(kms_endpoint))
    with running(rig):
        bootstrap.run(rig.target, rig.custodian, rig.options())
        root = rig.root_token()
        with rig.active_client(root) as client:
            client.sys.enable_secrets_engine("kv", path="canary")
            client.adapter.put("/v1/canary/fake", json={"value": WRITTEN})
            rule = 'path "canary/fake" { capabilities = ["read"] }'
            client.sys.create_or_update_policy("reader", rule)
            reader = client.auth.token.create(policies=["reader"], ttl="1h")["auth"]
            snapshot = take(
                rig.target, rig.log_in(operator_role()), rig.folder / "snapshots" / "first.snap"
            )
            client.adapter.put("/v1/canary/fake", json={"value": LATER})
            # Its own end would take the reader with it, so the root token outlives the snapshot.
        cluster_id = observe(rig.target).cluster_id
        yield Taken(rig, snapshot, reader["client_token"], cluster_id)


def test_a_snapshot_is_whole_private_and_alone_in_its_folder(taken: Taken) -> None:
    path = taken.snapshot.path
    assert verify(path) == taken.snapshot
    assert taken.snapshot.size == path.stat().st_size > 1000
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["first.snap"]


def test_only_the_operator_may_take_one(taken: Taken, tmp_path: Path) -> None:
    with pytest.raises(DeniedError):
        take(taken.first.target, taken.first.log_in(deployer_role()), tmp_path / "no.snap")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_ends_in_one_error_and_leaves_nothing(
    taken: Taken, tmp_path: Path
) -> None:
    token = taken.first.log_in(operator_role())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(VaultOpsError, match="the snapshot cannot be written") as refused:
            take(taken.first.target, token, tmp_path / "no.snap")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "too large" in refused.value.why
    assert list(tmp_path.iterdir()) == []


def test_the_operator_may_not_restore(taken: Taken) -> None:
    with pytest.raises(DeniedError):
        restore(
            taken.first.target,
            taken.first.log_in(operator_role()),
            taken.snapshot.path,
            restart=never,
            unserved=served,
        )
    check_canary(taken.first.target, taken.reader, read_canary, LATER)


def test_a_damaged_file_is_refused_before_anything_is_changed(taken: Taken, tmp_path: Path) -> None:
    """Cut off or changed at many places; the cluster is never asked, so no token is needed."""
    whole = taken.snapshot.path.read_bytes()
    step = len(whole) // 24
    damaged = [whole[:end] for end in range(0, len(whole), step)]
    damaged += [
        whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        for at in range(step, len(whole) - step, step)
    ]
    path = tmp_path / "damaged.snap"
    entries = len(taken.first.audit_entries())
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(VaultOpsError, match="this is no whole snapshot") as refused:
            restore(
                taken.first.target,
                "no token is needed to see that",
                path,
                restart=never,
                unserved=served,
            )
        assert "never restore from this file" in refused.value.fix
    assert len(taken.first.audit_entries()) == entries
    check_canary(taken.first.target, taken.reader, read_canary, LATER)


def test_a_canary_that_differs_is_doubted(taken: Taken) -> None:
    with pytest.raises(DoubtError, match="not the one written"):
        check_canary(taken.first.target, taken.reader, read_canary, WRITTEN)


def test_a_connection_that_breaks_before_the_snapshot_arrives_restarts_nothing(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, root = taken.first, taken.first.root_token()

    def broken(*_: object) -> None:
        raise requests.exceptions.ConnectionError("fake: cut off at once")

    monkeypatch.setattr(Raft, "force_restore_raft_snapshot", broken)
    with pytest.raises(WaitedTooLongError, match="the old data is still there") as late:
        restore(rig.target, root, taken.snapshot.path, restart=never, unserved=served, seconds=1)
    assert "run the restore again" in late.value.fix
    check_canary(rig.target, taken.reader, read_canary, LATER)
    with rig.active_client(root) as client:
        client.auth.token.revoke_self()


def test_a_restore_into_the_same_cluster_waits_until_it_is_done(taken: Taken) -> None:
    """Here nothing but the data tells before from after: tokens and cluster stay the same."""
    rig = taken.first
    restore(rig.target, rig.root_token(), taken.snapshot.path, restart=rig.restart, unserved=served)
    check_canary(rig.target, taken.reader, read_canary, WRITTEN)


def test_a_connection_that_breaks_while_vault_answers_stops_no_restore(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot is in: without the restart the cluster would fall apart at the next one."""
    rig, root = taken.first, taken.first.root_token()
    with rig.active_client(root) as client:
        client.adapter.put("/v1/canary/fake", json={"value": LATER})
    send = Raft.force_restore_raft_snapshot

    def cut_off(raft: Raft, file: object) -> None:
        send(raft, file)
        raise requests.exceptions.ConnectionError("fake: cut off before the answer")

    monkeypatch.setattr(Raft, "force_restore_raft_snapshot", cut_off)
    restarts: list[str] = []
    said: list[str] = []

    def restart() -> None:
        restarts.append("all")
        rig.restart()

    restore(
        rig.target,
        root,
        taken.snapshot.path,
        restart=restart,
        unserved=served,
        progress=said.append,
    )
    assert restarts == ["all"]
    assert "looking whether the snapshot has arrived" in said[0]
    check_canary(rig.target, taken.reader, read_canary, WRITTEN)


def test_a_new_cluster_gives_back_what_the_destroyed_one_held(
    taken: Taken, tmp_path: Path, kubernetes_api: str
) -> None:
    """The last test of the module: it destroys the first cluster."""
    first = taken.first
    first.stop()
    for ordinal in range(first.replicas):
        shutil.rmtree(first.folder / f"data-{ordinal}")
    second = Rig(tmp_path, kubernetes_api, endpoint=first.endpoint, key=first.key)
    with running(second):
        second.await_answers()
        record = initialise(
            second.target, second.custodian, shares=1, threshold=1, auto_unseal=True
        )
        assert record is not None
        assert record.root_token is not None
        second.await_joined()
        restore(
            second.target,
            record.root_token,
            taken.snapshot.path,
            restart=second.restart,
            unserved=served,
        )
        check_canary(second.target, taken.reader, read_canary, WRITTEN)
        observation = observe(second.target)
        assert observation.state is BootstrapState.JOINED
        assert {replica.cluster_id for replica in observation.replicas} == {taken.cluster_id}
        with (
            second.active_client(record.root_token) as client,
            pytest.raises(hvac.exceptions.Forbidden),
        ):
            client.auth.token.lookup_self()
        assert second.log_in(deployer_role()), "the old deployer is back"
        # The first cluster's shares command the restored one.
        second.custodian.store(first.record())
        second.await_healthy(second.log_in(operator_role()))
        active = observe(second.target).active
        assert active is not None
        with second.active_client(second.root_token()) as client:
            client.sys.step_down()
        # The standbys hold the restored data too: one of them serves it now.
        second.await_leader_other_than(active)
        check_canary(second.target, taken.reader, read_canary, WRITTEN)
        # And a server that starts later finds the others: all have the restored keys of Raft.
        second.stop(active)
        second.start(active)
        second.await_healthy(second.log_in(operator_role()))
