"""The deployer's login before a deployment, where Vault's certificate decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.fake_cluster import FAKE_TOKEN, FakeCluster, fake_cluster, write_kubectl
from tests.vaultops.certificates import issue
from vaultops.deployer import DeployerAccess, Refreshed, refresh
from vaultops.errors import UntrustedError

KUBECTL = """\
#!/bin/sh
# A fake of kubectl that knows the CA and the deployer's account.
case "$*" in
  *"get configmap vault-ca"*) cat "$(dirname "$0")/ca.json" ;;
  *"create token strongroom-deployer"*) echo fake.jwt.deployer ;;
  *) exit 1 ;;
esac
"""


def access(folder: Path, monkeypatch: pytest.MonkeyPatch) -> DeployerAccess:
    write_kubectl(folder, KUBECTL)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    port = (folder / "port-0").read_text()
    return DeployerAccess(address=f"https://127.0.0.1:{port}", token_file=folder / "token")


def asked(cluster: FakeCluster) -> list[str]:
    return [path for path, _ in cluster.requests]


def test_a_good_certificate_gives_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_cluster(tmp_path) as cluster:
        assert refresh(access(tmp_path, monkeypatch)) is Refreshed.RENEWED
    assert (tmp_path / "token").read_text() == FAKE_TOKEN
    assert "auth/deployer/login" in asked(cluster)


def test_an_expired_certificate_does_not_keep_a_deployment_from_renewing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_cluster(tmp_path, days=0) as cluster:
        assert refresh(access(tmp_path, monkeypatch)) is Refreshed.EXPIRED
    assert not (tmp_path / "token").exists()
    assert cluster.requests == []


def test_a_certificate_of_another_ca_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = issue(tmp_path / "other").read_text()
    with fake_cluster(tmp_path) as cluster:
        (tmp_path / "ca.json").write_text(json.dumps({"data": {"ca.crt": other}}))
        with pytest.raises(UntrustedError):
            refresh(access(tmp_path, monkeypatch))
    assert cluster.requests == []
