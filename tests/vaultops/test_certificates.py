"""The certificate on the wire: read, refused, and renewed while the server runs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.vaultops.certificates import issue, renew
from tests.vaultops.rig import SECONDS, Rig, running
from vaultops.certificates import served
from vaultops.errors import UnreachableError, UntrustedError
from vaultops.state import observe
from vaultops.target import AddressTarget
from vaultops.wait import wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str) -> Iterator[Rig]:
    """One server that listens; TLS needs no initialised Vault."""
    with running(Rig(tmp_path_factory.mktemp("tls"), kubernetes_api, replicas=1)) as rig:
        rig.await_answers()
        yield rig


def test_the_served_certificate_is_read(rig: Rig) -> None:
    found = served(rig.target, 0)
    assert found.name == rig.target.name(0)
    assert found.issuer == "CN=fake test CA"
    assert found.names == ("localhost", "127.0.0.1")
    assert found.days_left == 1
    assert found.covers(("127.0.0.1", "vault-0.vault-internal")) == ("vault-0.vault-internal",)


def test_another_ca_is_refused_by_every_way_in(rig: Rig, tmp_path: Path) -> None:
    target = AddressTarget(addresses=rig.target.addresses, ca_file=str(issue(tmp_path)))
    with pytest.raises(UntrustedError, match="not trusted") as refused:
        served(target, 0)
    assert refused.value.where == target.url(0)
    assert "the CA that issued it" in refused.value.fix
    with pytest.raises(UntrustedError, match="not trusted"):
        observe(target)


def test_a_renewed_certificate_is_served_after_a_reload_and_not_before(rig: Rig) -> None:
    before = served(rig.target, 0)
    renew(rig.folder / "tls", days=40)
    assert served(rig.target, 0).serial == before.serial, "files are not what is served"
    rig.signal(0, signal.SIGHUP)
    wait_for(
        lambda: None if served(rig.target, 0).serial != before.serial else "the old one",
        what="the renewed certificate",
        where="the listener",
        seconds=SECONDS,
        fix="see the log",
    )
    assert served(rig.target, 0).days_left == 39


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"days": -1}, "certificate has expired"),
        ({"address": "127.0.0.9"}, "IP address mismatch"),
    ],
)
def test_an_expired_certificate_and_one_for_another_address_are_refused(
    rig: Rig, changes: dict[str, Any], said: str
) -> None:
    reasons: list[str] = []

    def probe() -> str | None:
        try:
            served(rig.target, 0)
        except UntrustedError as reason:
            reasons.append(reason.why)
            return None
        return "still the good one"

    renew(rig.folder / "tls", **changes)
    rig.signal(0, signal.SIGHUP)
    try:
        wait_for(
            probe, what="the bad one", where="the listener", seconds=SECONDS, fix="see the log"
        )
        assert said in reasons[0]
    finally:
        renew(rig.folder / "tls")
        rig.signal(0, signal.SIGHUP)
    wait_for(
        lambda: None if _trusted(rig) else "the bad one",
        what="a good certificate again",
        where="the listener",
        seconds=SECONDS,
        fix="see the log",
    )


def _trusted(rig: Rig) -> bool:
    try:
        served(rig.target, 0)
    except UntrustedError:
        return False
    return True


def test_a_server_that_is_gone_is_unreachable(rig: Rig) -> None:
    rig.stop()
    try:
        with pytest.raises(UnreachableError, match="does not answer"):
            served(rig.target, 0)
    finally:
        rig.start()
