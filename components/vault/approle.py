"""AppRole, for machines that have no identity of their own that Vault could check.

Owns the mount and the roles. No secret ID is made here: it would be in the state. Whoever starts
the machine asks for one, response-wrapped. Each works once by default, for minutes, from the
networks named. Prefer Kubernetes, AWS or GitHub Actions auth, which hand out nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import DAY, HOUR, TokenLife, refuse


@dataclass(frozen=True, kw_only=True)
class AppRole:
    """Whoever holds a secret ID within `cidrs` gets `policies`. `secret_id_ttl` is in seconds."""

    name: str
    policies: Sequence[str]
    cidrs: Sequence[str]
    secret_id_ttl: int = 600
    secret_id_num_uses: int = 1
    life: TokenLife = field(default_factory=lambda: TokenLife(ttl=1200, max_ttl=HOUR))

    def __post_init__(self) -> None:
        inputs.policies(f"role {self.name} policies", self.policies)
        inputs.networks(f"role {self.name} cidrs", self.cidrs)
        if not 1 <= self.secret_id_num_uses <= 10:
            raise refuse(
                f"role {self.name} secret_id_num_uses",
                self.secret_id_num_uses,
                "is no small number of logins (0 means endless); a copied secret ID would go on",
                "Use 1",
            )
        if not 0 < self.secret_id_ttl <= DAY:
            raise refuse(
                f"role {self.name} secret_id_ttl",
                self.secret_id_ttl,
                "is not within a day (0 means for ever); a forgotten secret ID would still work",
                "Use 600, which is ten minutes",
            )


@dataclass(frozen=True, kw_only=True)
class AppRoleAuthArgs:
    """`path` is the mount's name, without slashes."""

    roles: Sequence[AppRole]
    path: str = "approle"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.role_names("roles", [role.name for role in self.roles])


class AppRoleAuth(pulumi.ComponentResource):
    """Produces the auth mount and the roles."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: AppRoleAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:AppRoleAuth", name, {}, opts)
        mount = vault.AuthBackend(
            f"{name}-mount",
            type="approle",
            path=args.path,
            description="Machines without an identity of their own",
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        for role in args.roles:
            vault.approle.AuthBackendRole(
                f"{name}-role-{role.name}",
                backend=mount.path,
                role_name=role.name,
                bind_secret_id=True,
                secret_id_bound_cidrs=list(role.cidrs),
                secret_id_num_uses=role.secret_id_num_uses,
                secret_id_ttl=role.secret_id_ttl,
                token_bound_cidrs=list(role.cidrs),
                token_policies=list(role.policies),
                token_no_default_policy=True,
                token_ttl=role.life.ttl,
                token_max_ttl=role.life.max_ttl,
                opts=pulumi.ResourceOptions(
                    parent=self, deleted_with=mount, delete_before_replace=True
                ),
            )
        self.path = mount.path
        self.register_outputs({"path": self.path})
