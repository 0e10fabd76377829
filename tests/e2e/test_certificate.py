"""Vault's certificate on the wire: renewed without a restart, refused under another CA."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from kubernetes import client

from benchmarks.servers import Servers
from components.vault.x509 import issue_authority
from local.environment import Environment
from local.progress import Clock
from local.stack import merge
from tests.e2e.waiting import wait_until
from vaultops.certificates import ServedCertificate, served
from vaultops.errors import UnreachableError, UntrustedError
from vaultops.target import VaultTarget

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

# Ninety days less a minute before its end: due as soon as it is a minute old.
DUE = {"strongroom:vault": {"tls": {"validity": "90d", "renewBefore": "89d23h59m"}}}
# The kubelet brings a changed Secret into running pods within about a minute and a half.
RELOADED_SECONDS = 180


def certificates(target: VaultTarget) -> list[ServedCertificate]:
    return [served(target, ordinal) for ordinal in range(target.replicas)]


def all_renewed(target: VaultTarget, before: list[ServedCertificate]) -> bool:
    """Whether every server serves another certificate than before; one forward may break off."""
    try:
        now = certificates(target)
    except UnreachableError:
        return False
    return all(new.serial != old.serial for new, old in zip(now, before, strict=True))


def lives(found: dict[str, client.V1Pod]) -> dict[str, tuple[str, list[int]]]:
    return {
        name: (pod.metadata.uid, [s.restart_count for s in pod.status.container_statuses])
        for name, pod in found.items()
    }


def test_a_renewed_certificate_is_served_without_a_restart(
    environment: Environment, target: VaultTarget
) -> None:
    servers = Servers(environment.cluster())
    facts = environment.start_services(Clock())
    before, alive = certificates(target), lives(servers.pods())
    assert all(not one.covers(("vault-active.vault.svc",)) for one in before)
    try:
        environment.stack.prepare(merge(facts, DUE))
        environment.stack.up()
    finally:
        environment.stack.prepare(facts)
    environment.stack.up()
    wait_until(
        "every server serves the renewed certificate",
        lambda: all_renewed(target, before),
        RELOADED_SECONDS,
    )
    assert lives(servers.pods()) == alive
    assert len({one.serial for one in certificates(target)}) == 1
    environment.stack.up("--expect-no-changes")


def test_a_certificate_of_another_ca_is_refused(target: VaultTarget, tmp_path: Path) -> None:
    another = issue_authority(
        "another CA", datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    )
    foreign = tmp_path / "ca.crt"
    foreign.write_text(another.certificate)
    trusted, target.ca_file = target.ca_file, str(foreign)
    try:
        with pytest.raises(UntrustedError, match="is not trusted"):
            served(target, 0)
    finally:
        target.ca_file = trusted
