"""A Vault dev server on loopback: real, unsealed, in memory. Owns its start and its end."""

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

_DEADLINE = 30.0  # seconds


@contextmanager
def running(folder: Path) -> Iterator[hvac.Client]:
    """A client with the root token, until the end of the block; `folder` takes the server's log.

    Raises RuntimeError with that log when the server does not answer within 30 seconds.
    """
    address, root = f"127.0.0.1:{free_port()}", secrets.token_hex(16)
    path = folder / "vault.log"
    with path.open("wb") as log:
        server = subprocess.Popen(
            [toolchain.ensure(["vault"])["vault"], "server", "-dev", "-dev-no-store-token"],
            env={
                "VAULT_DEV_LISTEN_ADDRESS": address,
                "VAULT_DEV_ROOT_TOKEN_ID": root,
                "HOME": str(folder),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        client = hvac.Client(url=f"http://{address}", token=root)
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
