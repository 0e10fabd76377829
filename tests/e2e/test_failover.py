"""Losing servers under a steady write load: no acknowledged write is lost, and all come back."""

from __future__ import annotations

import pytest

from benchmarks.servers import SERVERS, Servers
from benchmarks.write_load import WriteLoad, latest_version
from local.environment import Environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_losing_the_active_server_loses_no_acknowledged_write(environment: Environment) -> None:
    cluster = environment.cluster()
    servers = Servers(cluster)
    with WriteLoad(cluster) as writes:
        writes.await_more(20)
        name = servers.active()
        before = {name: servers.pods()[name]}
        servers.delete(name)
        servers.await_return(before)
        writes.await_more(20)
    assert writes.refused, "the load never noticed the loss"
    assert writes.lost(latest_version(cluster)) == []
    assert servers.active() in SERVERS


def test_all_three_servers_at_once_come_back_by_themselves(environment: Environment) -> None:
    cluster = environment.cluster()
    servers = Servers(cluster)
    with WriteLoad(cluster) as writes:
        writes.await_more(20)
        before = servers.pods()
        assert sorted(before) == sorted(SERVERS)
        servers.delete(*before)
        servers.await_return(before)
        writes.await_more(20)
    assert writes.lost(latest_version(cluster)) == []
