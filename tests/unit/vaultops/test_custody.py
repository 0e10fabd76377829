"""The record of an initialisation, its file custodian, and the builder of custodians."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from tests.unit.vaultops.records import FAKE_ROOT, FAKE_SHARES, record
from vaultops.custodians import build
from vaultops.custody import InitRecord
from vaultops.custody_file import FileCustodian
from vaultops.errors import VaultOpsError

ANSWER = {
    "keys": ["66616b65"],
    "keys_base64": ["fake-share"],
    "root_token": FAKE_ROOT,
}


@pytest.fixture
def custodian(tmp_path: Path) -> FileCustodian:
    return FileCustodian(tmp_path / "custody" / "vault-init.json")


def test_a_record_is_read_back_as_it_was_written() -> None:
    for each in (record(), record(root_token=None), record(wrapped=True)):
        assert InitRecord.from_json(each.to_json()) == each


def test_a_record_shows_no_secret_to_people() -> None:
    for text in (repr(record()), str(record()), f"{record()}"):
        assert not any(secret in text for secret in (FAKE_ROOT, *FAKE_SHARES))
    assert "awskms" in repr(record())


def test_recovery_shares_are_taken_where_there_are_any() -> None:
    both = {**ANSWER, "keys_base64": [], "recovery_keys_base64": ["fake-recovery-share"]}
    found = [
        InitRecord.from_response(answer, seal_type="fake", threshold=1, wrapped=False)
        for answer in (both, ANSWER)
    ]
    assert [each.shares for each in found] == [("fake-recovery-share",), ("fake-share",)]
    assert [each.root_token for each in found] == [FAKE_ROOT, FAKE_ROOT]


@pytest.mark.parametrize("text", ["{}", '{"format": 2}', "[]", '"text"', "", "no json"])
def test_text_that_is_no_record_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- several wordings, one kind
        InitRecord.from_json(text)


def test_a_new_record_is_a_private_file(custodian: FileCustodian) -> None:
    assert custodian.load() is None
    custodian.store(record(created="fake-moment"))
    assert custodian.load() == record(created="fake-moment")
    assert stat.S_IMODE(custodian.path.stat().st_mode) == 0o600


def test_the_file_and_its_name_are_on_disk_before_store_returns(
    custodian: FileCustodian, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian.check()
    calls: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def replace(old: str, new: str) -> None:
        calls.append("rename")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    custodian.store(record())
    assert calls == ["file", "rename", "folder"]


def test_an_older_record_is_never_overwritten(custodian: FileCustodian) -> None:
    moments = [f"fake-moment-{number}" for number in range(3)]
    for moment in moments:
        custodian.store(record(created=moment))
    kept = sorted(custodian.path.parent.glob("vault-init*.json"))
    assert len(kept) == 3
    found = {InitRecord.from_json(path.read_text()).created for path in kept}
    assert found == set(moments)
    current = custodian.load()
    assert current is not None
    assert current.created == moments[-1]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_failed_write_leaves_the_old_record_and_no_litter(
    custodian: FileCustodian, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian.store(record())
    before = custodian.path.read_text()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        custodian.drop_root_token()
    assert custodian.path.read_text() == before
    assert [path.name for path in custodian.path.parent.iterdir()] == ["vault-init.json"]


def test_the_root_token_is_dropped_for_good(custodian: FileCustodian) -> None:
    custodian.drop_root_token()
    custodian.store(record(created="fake-moment"))
    custodian.drop_root_token()
    custodian.drop_root_token()
    assert custodian.load() == record(created="fake-moment", root_token=None)
    texts = [path.read_text() for path in custodian.path.parent.iterdir()]
    assert not any(FAKE_ROOT in text for text in texts)


def test_a_check_leaves_nothing_behind(custodian: FileCustodian) -> None:
    custodian.check()
    assert list(custodian.path.parent.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_vault_is_asked(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file where a folder should be")
    custodian = FileCustodian(tmp_path / "in-the-way" / "vault-init.json")
    with pytest.raises(VaultOpsError) as refused:
        custodian.check()
    assert "Vault was not initialised" in refused.value.what
    assert str(custodian.path) in refused.value.where
    assert "name a path in a folder that you may write" in refused.value.fix


def test_a_disk_without_room_for_a_record_is_refused_before_vault_is_asked(
    custodian: FileCustodian,
) -> None:
    """A full disk takes new files still, as long as they are empty."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(record().to_json()) - 1, before[1]))
    try:
        with pytest.raises(VaultOpsError, match="Vault was not initialised") as refused:
            custodian.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "too large" in refused.value.why
    assert list(custodian.path.parent.iterdir()) == []


def test_a_damaged_file_is_never_taken_for_no_record(custodian: FileCustodian) -> None:
    custodian.store(record())
    for damaged in (custodian.path.read_text()[:40], "", '{"format": 1}', "[]"):
        custodian.path.write_text(damaged)
        with pytest.raises(VaultOpsError, match="no initialisation record") as refused:
            custodian.load()
        assert "do not delete it while Vault holds data" in refused.value.fix
        assert "fake-" not in str(refused.value).replace(str(custodian.path), "")


def test_settings_name_the_custodian(tmp_path: Path) -> None:
    built = build({"type": "file", "path": str(tmp_path / "x.json"), "shares": 5})
    assert built.where == f"file {tmp_path / 'x.json'}"
    assert built.pgp_keys == ()
    aws = build({"type": "aws-secrets-manager", "name": "fake", "region": "eu-central-1"})
    assert aws.where == "AWS secret fake (eu-central-1)"
    google = build({"type": "gcp-secret-manager", "name": "fake", "project": "fake-project"})
    assert google.where == "Google secret projects/fake-project/secrets/fake"


def test_a_home_folder_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build({"type": "file", "path": "~/x.json"}).where == f"file {tmp_path}/x.json"


def test_an_unknown_custodian_is_refused_by_name() -> None:
    with pytest.raises(VaultOpsError, match="'paper' is unknown") as refused:
        build({"type": "paper"})
    assert "write file, pgp, aws-secrets-manager or gcp-secret-manager" in refused.value.fix
