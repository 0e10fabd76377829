"""A changed template reaches the servers in order, under load, and only when somebody says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.servers import SERVERS, Servers
from benchmarks.write_load import WriteLoad, latest_version
from local.environment import Environment
from local.progress import Clock
from local.stack import merge
from vaultops import snapshot
from vaultops.session import operator_session
from vaultops.target import VaultTarget
from vaultops.upgrade import KubernetesPods, upgrade

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

LARGER = {"strongroom:vault": {"resources": {"requests": {"memory": "257Mi"}}}}


def save(target: VaultTarget, token: str, path: Path) -> None:
    snapshot.take(target, token, path)


def test_standbys_come_first_and_the_active_server_last(
    environment: Environment, target: VaultTarget, tmp_path: Path
) -> None:
    cluster = environment.cluster()
    servers, pods = Servers(cluster), KubernetesPods(target.kubectl)
    facts = environment.start_services(Clock())
    before = {name: pod.metadata.uid for name, pod in servers.pods().items()}
    active = servers.active()
    saved = tmp_path / "before-the-upgrade.snap"
    try:
        environment.stack.prepare(merge(facts, LARGER))
        environment.stack.up()
        assert {n: pod.metadata.uid for n, pod in servers.pods().items()} == before
        assert all(pods.outdated(ordinal) for ordinal in range(target.replicas))
        with WriteLoad(cluster) as writes, operator_session(target, target.kubectl) as token:
            renewed = upgrade(
                target,
                pods,
                token,
                snapshot=lambda: save(target, token, saved),
                progress=Clock(),
            )
            writes.await_more(20)
    finally:
        environment.stack.prepare(facts)
    assert sorted(renewed) == sorted(SERVERS)
    assert renewed[-1] == active
    assert snapshot.verify(saved).size > 0
    assert not any(pods.outdated(ordinal) for ordinal in range(target.replicas))
    memory = {
        pod.spec.containers[0].resources.requests["memory"] for pod in servers.pods().values()
    }
    assert memory == {"257Mi"}
    assert writes.lost(latest_version(cluster)) == []
    environment.stack.up()
