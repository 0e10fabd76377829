"""A port forward as kubectl behaves: noise first, chatter on each connection, refusal."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from vaultops.errors import UnreachableError
from vaultops.kubectl import Kubectl
from vaultops.portforward import PortForward

CHATTY = """\
#!/bin/sh
# A fake of kubectl: says where it forwards, then more than a pipe holds.
echo "W0101 a warning of the credential plugin"
echo "Forwarding from 127.0.0.1:4711 -> 8200"
yes "Handling connection for 4711" | head -n 10000
echo done > "$(dirname "$0")/through"
exec sleep 30
"""
REFUSED = """\
#!/bin/sh
# A fake of kubectl whose pod is not there.
echo 'Error from server (NotFound): pods "vault-0" not found' >&2
exit 1
"""


def kubectl(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    (folder / "kubectl").write_text(text)
    (folder / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Kubectl(namespace="vault")


def test_chatter_does_not_stop_kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = PortForward.start(kubectl(tmp_path, CHATTY, monkeypatch), "vault-0", 8200)
    try:
        assert forward.port == 4711
        deadline = time.monotonic() + 20
        while not (tmp_path / "through").exists():
            assert time.monotonic() < deadline, "kubectl still hangs in its own output"
            time.sleep(0.02)
        assert forward.alive
    finally:
        forward.close()
    assert not forward.alive


def test_a_refusal_is_told_in_kubectl_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreachableError, match='pods "vault-0" not found'):
        PortForward.start(kubectl(tmp_path, REFUSED, monkeypatch), "vault-0", 8200)


def test_a_home_folder_in_the_kubeconfig_s_path_is_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    command = Kubectl(namespace="vault", kubeconfig="~/.kube/config").command("get", "pods")
    assert command[command.index("--kubeconfig") + 1] == str(tmp_path / ".kube/config")
