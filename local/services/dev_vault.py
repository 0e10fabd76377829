"""A Vault dev server on loopback: a real Vault that keeps all in memory, for tests and benchmarks.

Owns its process and its client. Nothing of the environment that `up` makes uses it.
"""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hvac

from local import toolchain
from local.node.forwards import free_port

CA = "vault-ca.pem"
_DEADLINE = 120.0


@contextmanager
def running(folder: Path, *, tls: bool = False) -> Iterator[hvac.Client]:
    """A client with the root token, until the end of the block.

    `folder` takes the server's log and, with `tls`, the file `CA`. Raises RuntimeError with that
    log when the server does not answer within two minutes.
    """
    address, root = f"127.0.0.1:{free_port()}", secrets.token_hex(16)
    path = folder / "vault.log"
    options = ["-dev", "-dev-no-store-token"]
    if tls:
        options += ["-dev-tls", f"-dev-tls-cert-dir={folder}"]
    with path.open("wb") as log:
        server = subprocess.Popen(
            [toolchain.ensure(["vault"])["vault"], "server", *options],
            env={
                "VAULT_DEV_LISTEN_ADDRESS": address,
                "VAULT_DEV_ROOT_TOKEN_ID": root,
                "HOME": str(folder),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        client = (
            hvac.Client(url=f"https://{address}", token=root, verify=str(folder / CA))
            if tls
            else hvac.Client(url=f"http://{address}", token=root)
        )
        client.session.trust_env = False
        deadline = time.monotonic() + _DEADLINE
        while not _answers(client):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the dev Vault did not come up:\n{path.read_text()}")
            time.sleep(0.1)
        yield client
    finally:
        server.terminate()
        server.wait(20)


def _answers(client: hvac.Client) -> bool:
    try:
        return bool(client.sys.is_initialized() and not client.sys.is_sealed())
    except OSError:
        return False
