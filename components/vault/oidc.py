"""The OIDC auth method, by which people log in through their identity provider.

Owns the mount, its client and the roles. A role admits people by claims that match exactly, hands
the browser to addresses that match exactly, and takes tokens made for this client only. The
client's secret goes into a write-only field; the engine keeps an encrypted copy
(pulumi/pulumi-terraform-bridge#3201), so change it at the provider when people leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import TokenLife, refuse

CLI_REDIRECT = "http://localhost:8250/oidc/callback"  # where `vault login -method=oidc` listens


@dataclass(frozen=True, kw_only=True)
class OidcRole:
    """People whose claims have one of the values named, for each claim, get `policies`.

    `user_claim` names a person for ever: an address can be given to somebody else, `sub` cannot.
    """

    name: str
    bound_claims: Mapping[str, Sequence[str]]
    redirect_uris: Sequence[str]
    policies: Sequence[str]
    user_claim: str = "sub"
    groups_claim: str | None = None
    life: TokenLife = field(default_factory=TokenLife)

    def __post_init__(self) -> None:
        inputs.policies(f"role {self.name} policies", self.policies)
        inputs.exact(f"role {self.name} bound_claims", self.bound_claims, example="groups")
        for claim, values in self.bound_claims.items():
            inputs.exact(f"role {self.name} bound_claims {claim}", values, example="ml-engineers")
            if wrong := [value for value in values if "," in value]:
                raise refuse(
                    f"role {self.name} bound_claims {claim}",
                    wrong[0],
                    "holds a comma, at which Vault's provider splits it into two",
                    "Give each value by itself",
                )
        inputs.exact(f"role {self.name} redirect_uris", self.redirect_uris, example=CLI_REDIRECT)
        for uri in self.redirect_uris:
            if urlsplit(uri).scheme != "https" and urlsplit(uri).hostname != "localhost":
                raise refuse(
                    f"role {self.name} redirect_uris",
                    uri,
                    "is neither https nor localhost; the login's code would cross in clear",
                    "Use https://vault.example.com:8200/ui/vault/auth/oidc/oidc/callback",
                )


@dataclass(frozen=True, kw_only=True)
class OidcAuthArgs:
    """`discovery_url` is the provider's, without the part `.well-known`."""

    discovery_url: str
    client_id: str
    client_secret: pulumi.Input[str] = field(repr=False)
    roles: Sequence[OidcRole]
    client_secret_version: int = 1
    path: str = "oidc"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.https("discovery_url", self.discovery_url)
        inputs.exact("client_id", [self.client_id], example="strongroom-vault")
        inputs.version("client_secret_version", self.client_secret_version)
        inputs.role_names("roles", [role.name for role in self.roles])


class OidcAuth(pulumi.ComponentResource):
    """Produces the auth mount with its configuration, and the roles."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: OidcAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:OidcAuth", name, {}, opts)
        mount = vault.jwt.AuthBackend(
            f"{name}-mount",
            path=args.path,
            type="oidc",
            description="People, by their identity provider",
            oidc_discovery_url=args.discovery_url,
            oidc_client_id=args.client_id,
            oidc_client_secret_wo=pulumi.Output.secret(args.client_secret),
            oidc_client_secret_wo_version=args.client_secret_version,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.path = mount.path.apply(lambda path: path or args.path)
        for role in args.roles:
            vault.jwt.AuthBackendRole(
                f"{name}-role-{role.name}",
                backend=self.path,
                role_name=role.name,
                role_type="oidc",
                user_claim=role.user_claim,
                groups_claim=role.groups_claim,
                bound_audiences=[args.client_id],
                bound_claims={claim: ",".join(v) for claim, v in role.bound_claims.items()},
                bound_claims_type="string",
                allowed_redirect_uris=list(role.redirect_uris),
                token_policies=list(role.policies),
                token_ttl=role.life.ttl,
                token_max_ttl=role.life.max_ttl,
                opts=pulumi.ResourceOptions(
                    parent=self, deleted_with=mount, delete_before_replace=True
                ),
            )
        self.register_outputs({"path": self.path})
