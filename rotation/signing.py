"""The signing key of the event lines: an Ed25519 key of Vault's Transit engine.

Owns the two requests. The key never leaves Vault: whoever takes over the rotator may add lines
while he is in, and can neither take the key along nor change a line of before.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from rotation import vault
from rotation.vault import Clients
from vaultops.errors import VaultOpsError

MOUNT = "transit"


@dataclass(frozen=True)
class TransitSigner:
    """Signs with the newest version of `key`."""

    clients: Clients
    key: str

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """The key's version and the signature. Raises VaultOpsError."""
        answer = vault.write(
            self.clients,
            f"{MOUNT}/sign/{self.key}",
            {"input": base64.b64encode(message).decode()},
        )
        _, version, signature = str(answer["signature"]).split(":")
        return version.removeprefix("v"), base64.b64decode(signature)


def public_keys(clients: Clients, key: str) -> Mapping[str, bytes]:
    """The raw public key of each version. Raises VaultOpsError when there is no Ed25519 key."""
    found = vault.read(clients, f"{MOUNT}/keys/{key}")
    if found is None or found.get("type") != "ed25519":
        raise VaultOpsError(
            "there is no key that signs event lines",
            where=f"{MOUNT}/keys/{key}",
            why="nothing is there" if found is None else f"its type is {found.get('type')}",
            fix=f"add {{name: {key}, algorithm: ed25519}} to strongroom:engines.transit.keys and "
            "deploy",
        )
    return {version: base64.b64decode(one["public_key"]) for version, one in found["keys"].items()}
