"""The AWS engine's key as the engine gives it to Vault: when, from where, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from components.vault import aws_root_key as module
from components.vault.aws_root_key import RootKeyProvider
from vaultops.errors import VaultOpsError

SECRET = "fake-secret-of-a-test"
KEY = {"AccessKey": {"UserName": "vault", "AccessKeyId": "FAKE-ID", "SecretAccessKey": SECRET}}


class Vault:
    """Stands in for the target: keeps what was written, and with which token."""

    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.tokens: list[str] = []

    def target(self, **_: Any) -> Vault:
        return self

    @contextmanager
    def pod_client(self, _ordinal: int, token: str) -> Iterator[Vault]:
        self.tokens.append(token)
        yield self

    def write_data(self, path: str, data: dict[str, Any]) -> None:
        self.written.append((path, data))


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = Vault()
    monkeypatch.setattr(module, "AddressTarget", made.target)
    return made


@pytest.fixture
def props(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "key").write_text(json.dumps(KEY))
    (tmp_path / "token").write_text("fake-token\n")
    return {
        "path": "aws",
        "file": str(tmp_path / "key"),
        "version": 1.0,  # the engine's numbers are floats
        "region": "eu-central-1",
        "endpoint": None,
        "address": "https://vault.example.com:8200",
        "token_file": str(tmp_path / "token"),
        "ca_file": str(tmp_path / "ca"),
    }


def test_vault_is_given_the_files_key_and_the_state_is_not(
    vault: Vault, props: dict[str, Any]
) -> None:
    made = RootKeyProvider().create(props)
    given = {"region": "eu-central-1", "access_key": "FAKE-ID", "secret_key": SECRET}
    assert vault.written == [("aws/config/root", given)]
    assert vault.tokens == ["fake-token"]
    assert SECRET not in json.dumps(made.outs)


def test_a_stand_in_is_written_with_the_key(vault: Vault, props: dict[str, Any]) -> None:
    RootKeyProvider().update("aws", props, {**props, "endpoint": "http://10.77.0.2:5000"})
    ((_, given),) = vault.written
    assert given["iam_endpoint"] == given["sts_endpoint"] == "http://10.77.0.2:5000"
    assert given["sts_region"] == "eu-central-1"


def test_only_a_grown_version_is_a_change(props: dict[str, Any]) -> None:
    moved = {**props, "version": 1, "file": "other", "token_file": "other", "address": "other"}
    assert not RootKeyProvider().diff("aws", props, moved).changes
    everything = {**props, "version": 2, "region": "eu-west-1"}
    assert RootKeyProvider().diff("aws", props, everything).changes


@pytest.mark.parametrize("name", ["region", "endpoint"])
def test_the_rest_of_the_identity_changes_only_with_the_key(
    props: dict[str, Any], name: str
) -> None:
    with pytest.raises(VaultOpsError, match=f"{name} changed") as refused:
        RootKeyProvider().diff("aws", props, {**props, name: "other"})
    assert "add 1 to the version" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", SECRET, f'"{SECRET}"', "{}", f'{{"AccessKey": "{SECRET}"}}', f'[["{SECRET}"]]', None],
)
def test_a_file_without_a_key_is_refused_unseen(
    vault: Vault, props: dict[str, Any], text: str | None
) -> None:
    Path(props["file"]).unlink() if text is None else Path(props["file"]).write_text(text)
    with pytest.raises(VaultOpsError, match="holds no access key") as refused:
        RootKeyProvider().create(props)
    assert props["file"] in str(refused.value)
    assert "aws iam create-access-key" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert vault.written == []


def test_taking_the_key_back_leaves_the_pods_own_identity(
    vault: Vault, props: dict[str, Any]
) -> None:
    Path(props["file"]).unlink()
    RootKeyProvider().delete("aws", props)
    assert vault.written == [("aws/config/root", {"region": "eu-central-1"})]
