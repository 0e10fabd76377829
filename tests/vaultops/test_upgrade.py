"""An upgrade in order, on servers that are really restarted; and every reason to stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.vaultops.rig import SECONDS, Rig, kms_key, running
from vaultops import bootstrap
from vaultops.errors import DeniedError, DoubtError, WaitedTooLongError
from vaultops.identity import deployer_role, operator_role
from vaultops.state import observe
from vaultops.upgrade import healthy, upgrade

pytestmark = pytest.mark.e2e


@dataclass
class RestartedPods:
    """Pods whose controller restarts the rig's server at once; `broken` ones stay away."""

    rig: Rig
    newest: int = 1
    templates: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 1))
    broken: set[int] = field(default_factory=set)
    did: list[str] = field(default_factory=list)

    def identity(self, ordinal: int) -> str:
        """The process that runs."""
        process = self.rig.processes.get(ordinal)
        return str(process.pid) if process else ""

    def outdated(self, ordinal: int) -> bool:
        """Whether the server was not restarted since the newest template."""
        return self.templates[ordinal] != self.newest

    def delete(self, ordinal: int) -> None:
        """Kill the server and start it anew."""
        active = observe(self.rig.target).active
        self.did.append(f"delete {ordinal}{' (active)' if active == ordinal else ''}")
        self.rig.stop(ordinal)
        self.templates[ordinal] = self.newest
        if ordinal not in self.broken:
            self.rig.start(ordinal)

    def snapshot(self) -> None:
        """Note that one is taken."""
        self.did.append("snapshot")


@pytest.fixture(scope="module")
def rig(
    tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str, kms_endpoint: str
) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("upgrade")
    rig = Rig(folder, kubernetes_api, endpoint=kms_endpoint, key=kms_key(kms_endpoint))
    with running(rig):
        bootstrap.run(rig.target, rig.custodian, rig.options())
        yield rig


@pytest.fixture
def token(rig: Rig) -> str:
    """An operator's token for a healthy cluster: each test starts with one."""
    for ordinal in set(range(rig.replicas)) - set(rig.processes):
        rig.start(ordinal)
    rig.await_joined()
    token = rig.log_in(operator_role())
    rig.await_healthy(token)
    return token


@pytest.fixture
def pods(rig: Rig) -> RestartedPods:
    return RestartedPods(rig)


def run(rig: Rig, token: str, pods: RestartedPods, seconds: float = SECONDS) -> tuple[str, ...]:
    """An upgrade of the rig."""
    return upgrade(
        rig.target, pods, token, snapshot=pods.snapshot, progress=pods.did.append, seconds=seconds
    )


def steps(pods: RestartedPods) -> list[str]:
    """What was done, without what was waited for."""
    return [did for did in pods.did if did.startswith(("snapshot", "delete"))]


def test_nothing_is_touched_when_every_pod_is_new(
    rig: Rig, token: str, pods: RestartedPods
) -> None:
    assert run(rig, token, pods) == ()
    assert pods.did == ["every pod runs the newest template"]


def test_standbys_come_first_and_the_old_active_server_last(
    rig: Rig, token: str, pods: RestartedPods
) -> None:
    active = observe(rig.target).active
    assert active is not None
    before = {n: pods.identity(n) for n in range(3)}
    pods.newest = 2
    order = [*(n for n in range(3) if n != active), active]
    assert run(rig, token, pods) == tuple(rig.target.name(n) for n in order)
    assert steps(pods) == ["snapshot", *(f"delete {n}" for n in order)]
    assert all(pods.identity(n) != before[n] for n in range(3))
    assert healthy(rig.target, token) is None
    assert observe(rig.target).active not in (active, None)
    assert run(rig, token, pods) == ()


def test_a_cluster_that_is_not_healthy_is_not_touched(
    rig: Rig, token: str, pods: RestartedPods
) -> None:
    active = observe(rig.target).active
    away = next(n for n in range(3) if n != active)
    rig.stop(away)
    pods.newest = 2
    with pytest.raises(DoubtError, match="no pod was touched") as doubt:
        run(rig, token, pods)
    assert rig.target.name(away) in doubt.value.why
    assert "one more pod down may cost quorum" in doubt.value.fix
    assert pods.did == []


def test_a_pod_that_does_not_come_back_stops_it_and_the_next_run_goes_on(
    rig: Rig, token: str, pods: RestartedPods
) -> None:
    active = observe(rig.target).active
    first, second = (n for n in range(3) if n != active)
    pods.newest, pods.broken = 2, {first}
    with pytest.raises(WaitedTooLongError) as late:
        run(rig, token, pods, seconds=3)
    assert f"{rig.target.name(first)} to come back" in late.value.what
    assert steps(pods) == ["snapshot", f"delete {first}"]
    pods.broken.clear()
    pods.did.clear()
    with pytest.raises(DoubtError, match="no pod was touched"):
        run(rig, token, pods)
    rig.start(first)
    rig.await_healthy(token)
    run(rig, token, pods)
    assert steps(pods) == ["snapshot", f"delete {second}", f"delete {active}"]


def test_a_snapshot_that_fails_stops_it_before_anything_is_touched(
    rig: Rig, token: str, pods: RestartedPods
) -> None:
    def fail() -> None:
        raise OSError("no fake space left")

    pods.newest = 2
    with pytest.raises(OSError, match="no fake space"):
        upgrade(rig.target, pods, token, snapshot=fail, progress=pods.did.append)
    assert steps(pods) == []


def test_only_the_operator_may_upgrade(rig: Rig, token: str, pods: RestartedPods) -> None:
    pods.newest = 2
    with pytest.raises(DeniedError):
        run(rig, rig.log_in(deployer_role()), pods)
    assert steps(pods) == []
