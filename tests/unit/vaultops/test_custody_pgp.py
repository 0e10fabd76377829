"""PGP-wrapped custody: public keys as Vault wants them, shares and root token kept apart."""

from __future__ import annotations

import base64
import stat
import subprocess
from pathlib import Path

import pytest

from tests.unit.vaultops.records import FAKE_ROOT, record
from vaultops.custodians import build
from vaultops.custody_pgp import PgpCustodian, read_public_key
from vaultops.errors import VaultOpsError

BINARY = b"\x99\x01fake public key, not a real one" * 4


def armour(kind: str, *headers: str) -> str:
    """Text in the form of an exported key, with a checksum line."""
    body = base64.b64encode(BINARY).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    begin, end = (f"-----{word} PGP {kind} KEY BLOCK-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, *headers, "", *lines, "=fAke", end, ""])


@pytest.fixture
def custodian(tmp_path: Path) -> PgpCustodian:
    return PgpCustodian(path=tmp_path / "wrapped.json", pgp_keys=("fake-key", "fake-key"))


@pytest.mark.parametrize("headers", [(), ("Comment: a fake key",), ("Version: 1", "Comment: x")])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_armour_is_taken_off(tmp_path: Path, headers: tuple[str, ...], line_end: str) -> None:
    path = tmp_path / "holder.asc"
    path.write_bytes(armour("PUBLIC", *headers).replace("\n", line_end).encode())
    assert base64.b64decode(read_public_key(path), validate=True) == BINARY


def test_a_binary_key_is_encoded(tmp_path: Path) -> None:
    path = tmp_path / "holder.gpg"
    path.write_bytes(BINARY)
    assert base64.b64decode(read_public_key(path), validate=True) == BINARY


def test_a_private_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "holder.asc"
    path.write_text(armour("PRIVATE"))
    with pytest.raises(VaultOpsError, match="this is a private key") as refused:
        read_public_key(path)
    assert str(path) in refused.value.where
    assert "gpg --export --armor HOLDER" in refused.value.fix


@pytest.mark.parametrize("content", [b"\x95fake", b"\xc5fake", b"", b"no key at all\n"])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """0x95 and 0xc5 start a binary secret key packet (RFC 4880, 4.2 and 4.3)."""
    path = tmp_path / "holder.gpg"
    path.write_bytes(content)
    with pytest.raises(VaultOpsError) as refused:
        read_public_key(path)
    assert str(path) in refused.value.where


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    facts = {"type": "pgp", "path": str(tmp_path / "w.json"), "keys": [str(tmp_path / "no.asc")]}
    with pytest.raises(VaultOpsError, match="cannot be read") as refused:
        build(facts)
    assert "no.asc" in refused.value.where


def test_a_key_that_gpg_exports_is_the_one_that_gpg_reads_back(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    make = ["--passphrase", "", "--quick-generate-key", "fake holder", "ed25519", "sign", "never"]
    subprocess.run([*gpg, *make], check=True, capture_output=True)
    exported = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    armoured = subprocess.run([*gpg, "--export", "--armor"], check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)
    (tmp_path / "holder.asc").write_bytes(armoured)
    (tmp_path / "holder.gpg").write_bytes(exported)
    keys = [f"{tmp_path}/holder.asc", f"{tmp_path}/holder.gpg"]
    custodian = build({"type": "pgp", "path": f"{tmp_path}/wrapped.json", "keys": keys})
    assert [base64.b64decode(key) for key in custodian.pgp_keys] == [exported, exported]


def test_the_root_token_waits_in_a_private_file_of_its_own(custodian: PgpCustodian) -> None:
    kept = record(wrapped=True)
    custodian.check()
    custodian.store(kept)
    assert FAKE_ROOT not in custodian.path.read_text()
    assert stat.S_IMODE(custodian.root_token_path.stat().st_mode) == 0o600
    assert custodian.load() == kept
    custodian.drop_root_token()
    custodian.drop_root_token()
    assert custodian.load() == kept.without_root_token()
    assert [path.name for path in custodian.path.parent.iterdir()] == ["wrapped.json"]


def test_a_root_token_that_somebody_wrote_into_its_file_may_end_its_line(
    custodian: PgpCustodian,
) -> None:
    """As the runbook asks, to repair the deployer's login; an editor ends each line."""
    custodian.store(record(wrapped=True, root_token=None))
    custodian.root_token_path.write_text(f"{FAKE_ROOT}\n")
    found = custodian.load()
    assert found is not None
    assert found.root_token == FAKE_ROOT


def test_older_shares_are_archived(custodian: PgpCustodian) -> None:
    custodian.store(record(wrapped=True, created="fake-first"))
    custodian.store(record(wrapped=True, created="fake-second"))
    texts = [path.read_text() for path in custodian.path.parent.glob("wrapped*.json")]
    assert sorted("fake-first" in text for text in texts) == [False, True]
    assert "2 PGP keys" in custodian.where
