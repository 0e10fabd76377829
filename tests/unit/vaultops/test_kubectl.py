"""What kubectl's failures mean, told by the real kubectl's own words; no cluster is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaultops.deployer import DeployerAccess, refresh
from vaultops.errors import DeniedError, UnreachableError
from vaultops.kubectl import Kubectl, NotFoundError
from vaultops.upgrade import KubernetesPods

PLUGIN_MISSING = """\
Unable to connect to the server: getting credentials: exec: executable aws not found

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#plugins
"""
PLUGIN_FAILS = """\
fake: the SSO session has expired
Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that prints the file `said` and fails."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "kubectl"
    script.write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return tmp_path / "said"


@pytest.mark.parametrize(
    ("said", "reason"),
    [(PLUGIN_MISSING, "executable aws not found"), (PLUGIN_FAILS, "failed with exit code 255")],
)
def test_a_login_to_the_cloud_that_fails_is_neither_a_missing_object_nor_a_missing_cluster(
    kubectl: Path, tmp_path: Path, said: str, reason: str
) -> None:
    """A deployment that took it for "no Vault yet" would go on."""
    kubectl.write_text(said)
    with pytest.raises(DeniedError, match="credentials") as refused:
        refresh(DeployerAccess(address="https://127.0.0.1:1", token_file=tmp_path / "token"))
    assert reason in refused.value.why
    assert "log in to the cloud" in refused.value.fix


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error from server (NotFound): configmaps "vault-ca" not found', NotFoundError),
        ('error: failed to create token: serviceaccounts "fake" not found', NotFoundError),
        ('Error from server (Forbidden): pods "vault-0" is forbidden: fake', DeniedError),
        ("error: You must be logged in to the server (Unauthorized)", DeniedError),
        ("Unable to connect to the server: dial tcp 192.0.2.1:443: i/o timeout", UnreachableError),
    ],
)
def test_each_failure_has_its_kind(kubectl: Path, said: str, kind: type[Exception]) -> None:
    kubectl.write_text(said)
    with pytest.raises(kind, match="where: kubectl get pod fake"):
        Kubectl(namespace="fake").run("get", "pod", "fake")


def test_a_pod_that_is_gone_already_stops_no_restart(kubectl: Path) -> None:
    """In the middle of a restore: the controller makes it anew like the others."""
    script = kubectl.parent / "bin" / "kubectl"
    script.write_text(
        "#!/bin/sh\ncase $* in *--ignore-not-found*) exit 0;; esac\n"
        "echo 'Error from server (NotFound): pods \"vault-1\" not found' >&2\nexit 1\n"
    )
    KubernetesPods(Kubectl(namespace="fake")).restart(3)
