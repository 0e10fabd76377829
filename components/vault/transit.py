"""The Transit engine: encryption and signatures with keys that never leave Vault.

Owns the mount and the keys. No key can be exported, copied in clear or deleted: what was encrypted
with a deleted key is lost. Rotation adds a version, and older ones still decrypt. A key taken out
of the program is refused by Vault until the mount itself goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import DAY, refuse


class KeyType(StrEnum):
    """What a key can do: the first two encrypt, the others sign."""

    AES256_GCM96 = "aes256-gcm96"
    CHACHA20_POLY1305 = "chacha20-poly1305"
    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256"


@dataclass(frozen=True, kw_only=True)
class TransitKey:
    """A named key that gets a new version every `rotate_after` seconds."""

    name: str
    type: KeyType = KeyType.AES256_GCM96
    rotate_after: int = 90 * DAY

    def __post_init__(self) -> None:
        if not DAY <= self.rotate_after <= 365 * DAY:
            raise refuse(
                f"key {self.name} rotate_after",
                self.rotate_after,
                "is not between a day and a year; a key used for ever leaks everything at once",
                "Use 7776000, which is 90 days",
            )


@dataclass(frozen=True, kw_only=True)
class TransitEngineArgs:
    """`protect` keeps mount and keys from deletion: it is off where a stack may be thrown away."""

    keys: Sequence[TransitKey]
    path: str = "transit"
    protect: bool = True

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.role_names("keys", [key.name for key in self.keys])


class TransitEngine(pulumi.ComponentResource):
    """Produces the mount and the keys."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: TransitEngineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:TransitEngine", name, {}, opts)
        mount = vault.Mount(
            f"{name}-mount",
            path=args.path,
            type="transit",
            description="Encryption with keys that stay in Vault",
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, delete_before_replace=True
            ),
        )
        for key in args.keys:
            vault.transit.SecretBackendKey(
                f"{name}-key-{key.name}",
                backend=mount.path,
                name=key.name,
                type=str(key.type),
                auto_rotate_period=key.rotate_after,
                deletion_allowed=False,
                exportable=False,
                allow_plaintext_backup=False,
                # No delete_before_replace: a replacement must fail, not lose the key.
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect, deleted_with=mount),
            )
        self.path = mount.path
        self.register_outputs({"path": self.path})
