"""A KV version 2 engine. Owns the mount and how many versions it keeps; never holds a value."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import refuse


@dataclass(frozen=True, kw_only=True)
class KvEngineArgs:
    """`max_versions` of each secret are kept; `protect` keeps the mount from being deleted."""

    path: str = "secret"
    max_versions: int = 10
    protect: bool = False

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        if not 1 <= self.max_versions <= 1000:
            raise refuse(
                "max_versions",
                self.max_versions,
                "is not between 1 and 1000; 0 would mean Vault's own default",
                "Use 10",
            )


class KvEngine(pulumi.ComponentResource):
    """Produces the mount and its engine settings."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: KvEngineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:KvEngine", name, {}, opts)
        mount = vault.Mount(
            f"{name}-mount",
            path=args.path,
            type="kv-v2",
            description="Secrets that people and pipelines write",
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, delete_before_replace=True
            ),
        )
        vault.kv.SecretBackendV2(
            f"{name}-settings",
            mount=mount.path,
            max_versions=args.max_versions,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.path = mount.path
        self.register_outputs({"path": self.path})
