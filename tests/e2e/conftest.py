"""One real environment for all end-to-end tests of the stack, deployed once, from nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.servers import SERVERS
from local.environment import Environment
from local.progress import Clock
from tests.e2e.instances import keep_logs, new_environment
from vaultops.kubectl import Kubectl
from vaultops.target import VaultTarget


@pytest.fixture(scope="session")
def environment(request: pytest.FixtureRequest) -> Iterator[Environment]:
    """The local environment, as `make up` makes it; its logs are kept when a test failed."""
    with new_environment() as environment:
        failed_before = request.session.testsfailed
        environment.up(Clock())
        yield environment
        if request.session.testsfailed > failed_before:
            keep_logs(environment.instance)


@pytest.fixture
def target(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[VaultTarget]:
    """The three servers, reached as the project's own commands reach them."""
    monkeypatch.setenv("PATH", environment.stack.environment()["PATH"])
    cluster = environment.cluster()
    with VaultTarget(
        kubectl=Kubectl(namespace="vault", kubeconfig=str(cluster.kubeconfig)),
        replicas=len(SERVERS),
        ca_pem=cluster.vault_ca.read_text(),
    ) as target:
        yield target
