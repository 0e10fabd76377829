"""Shamir: shares from custody, from their holders one after the other, and wrong ones."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vaultops.rig import SECONDS, Rig, kms_key, running
from vaultops import bootstrap
from vaultops.custodians import build
from vaultops.custody_pgp import PgpCustodian
from vaultops.errors import DeniedError, VaultOpsError, WaitedTooLongError
from vaultops.identity import deployer_role
from vaultops.options import BootstrapOptions
from vaultops.state import BootstrapState, observe
from vaultops.unseal import unseal
from vaultops.wait import wait_for

pytestmark = pytest.mark.e2e

HOLDERS = ("one", "two", "three")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, kubernetes_api: str) -> Iterator[Rig]:
    """Three servers with a Shamir seal, bootstrapped."""
    with running(Rig(tmp_path_factory.mktemp("shamir"), kubernetes_api)) as rig:
        bootstrap.run(rig.target, rig.custodian, rig.options())
        yield rig


@pytest.fixture
def sealed(rig: Rig) -> Rig:
    """The same servers after all of them were killed: sealed."""
    rig.stop()
    rig.start()
    rig.await_answers()
    assert all(replica.sealed for replica in observe(rig.target).replicas)
    return rig


def test_kept_shares_unseal_every_server_of_a_new_cluster(rig: Rig) -> None:
    assert observe(rig.target).state is BootstrapState.JOINED
    assert {replica.seal_type for replica in observe(rig.target).replicas} == {"shamir"}
    assert rig.record().root_token is None
    assert rig.log_in(deployer_role())


def test_a_bootstrap_after_a_power_cut_unseals_with_the_kept_shares(sealed: Rig) -> None:
    result = bootstrap.run(sealed.target, sealed.custodian, sealed.options())
    assert result.initialised is False
    assert observe(sealed.target).state is BootstrapState.JOINED


def test_holders_come_one_after_the_other(sealed: Rig) -> None:
    shares = sealed.record().shares
    for number in range(2):
        found = unseal(sealed.target, shares[number : number + 1])
        assert all(replica.sealed for replica in found)
        assert {replica.unseal_progress for replica in found} == {number + 1}
        assert {replica.unseal_threshold for replica in found} == {3}
    found = unseal(sealed.target, shares[2:3])
    assert not any(replica.sealed for replica in found)
    sealed.await_joined()


def test_a_wrong_share_is_named_and_spoils_no_later_attempt(sealed: Rig) -> None:
    """Each server has it when the first one fails: all forget it, not that one alone."""
    shares = sealed.record().shares
    foreign = base64.b64encode(b"a fake share of another cluster!!").decode()
    unseal(sealed.target, (shares[0], foreign))
    with pytest.raises(DeniedError, match="refuses the shares") as refused:
        unseal(sealed.target, shares[2:3])
    assert foreign not in str(refused.value)
    assert "newest custody record" in refused.value.fix
    assert {replica.unseal_progress for replica in observe(sealed.target).replicas} == {0}
    unseal(sealed.target, shares[:3])
    sealed.await_joined()


@pytest.mark.parametrize("length", [0, 20])
def test_a_mistyped_share_is_refused_and_the_others_holders_shares_are_kept(
    sealed: Rig, length: int
) -> None:
    shares = sealed.record().shares
    unseal(sealed.target, shares[:2])
    mistyped = shares[2][:length] or "no share at all"
    with pytest.raises(DeniedError, match="refuses the share; those entered before are kept") as no:
        unseal(sealed.target, (mistyped,))
    assert mistyped not in str(no.value)
    assert {replica.unseal_progress for replica in observe(sealed.target).replicas} == {2}
    unseal(sealed.target, shares[2:3])
    sealed.await_joined()


def test_the_servers_seal_must_be_the_stacks(tmp_path: Path, kubernetes_api: str) -> None:
    with running(Rig(tmp_path, kubernetes_api, replicas=1)) as rig:
        options = BootstrapOptions(issue_jwt=rig.options().issue_jwt, deadline=SECONDS)
        with pytest.raises(VaultOpsError, match="seal 'shamir'") as refused:
            bootstrap.run(rig.target, rig.custodian, options)
        assert "auto-unseal" in refused.value.what
        assert observe(rig.target).state is BootstrapState.UNINITIALISED


def test_recovery_shares_are_not_taken_for_unseal_shares(
    tmp_path: Path, kubernetes_api: str, kms_endpoint: str
) -> None:
    key = kms_key(kms_endpoint)
    with running(Rig(tmp_path, kubernetes_api, replicas=1, endpoint=kms_endpoint, key=key)) as rig:
        bootstrap.run(rig.target, rig.custodian, rig.options())
        with rig.active_client(rig.root_token()) as client:
            client.sys.seal()
        wait_for(
            lambda: None if observe(rig.target).replicas[0].sealed else "unsealed",
            what="the seal",
            where="sys/seal-status",
            seconds=SECONDS,
            fix="see the log",
        )
        with pytest.raises(VaultOpsError, match="sealed by awskms, not by shares") as refused:
            unseal(rig.target, rig.record().shares)
        assert "recovery shares cannot decrypt" in refused.value.why


@pytest.fixture
def holders(tmp_path: Path) -> Iterator[Path]:
    """A GnuPG home with a key for each holder, and their public keys beside it."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    for name in HOLDERS:
        gpg(home, "--passphrase", "", "--quick-generate-key", f"fake {name}", "rsa2048", "encr")
        exported = gpg(home, "--export", "--armor", f"fake {name}")
        (tmp_path / f"{name}.asc").write_bytes(exported)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)


def gpg(home: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """What gpg prints."""
    command = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--trust-model", "always"]
    return subprocess.run(
        [*command, *arguments], input=stdin, check=True, capture_output=True
    ).stdout


def test_wrapped_shares_are_readable_for_their_holders_alone(
    tmp_path: Path, kubernetes_api: str, holders: Path
) -> None:
    keys = [str(tmp_path / f"{name}.asc") for name in HOLDERS]
    path = tmp_path / "custody" / "wrapped.json"
    custodian = build({"type": "pgp", "path": str(path), "keys": keys})
    assert isinstance(custodian, PgpCustodian)
    with running(Rig(tmp_path, kubernetes_api, replicas=1)) as rig:
        rig.await_answers()
        options = replace(rig.options(), shares=3, threshold=2)
        with pytest.raises(WaitedTooLongError) as waiting:
            bootstrap.run(rig.target, custodian, replace(options, deadline=5))
        assert "their holders run `strongroom vault unseal`" in waiting.value.fix
        record = custodian.load()
        assert record is not None
        assert record.wrapped
        opened = [
            gpg(holders, "--decrypt", stdin=base64.b64decode(share)).decode()
            for share in record.shares
        ]
        # Vault wraps the share in hexadecimal; an entered share may be in either form.
        unseal(rig.target, opened[1:])
        rig.await_joined()
        result = bootstrap.run(rig.target, custodian, options)
        assert result.completed_state is BootstrapState.DEPLOYER_CREDENTIAL
        assert [each.name for each in path.parent.iterdir()] == ["wrapped.json"]
        assert not any(rig.files_that_hold(share) for share in opened)
