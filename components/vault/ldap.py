"""LDAP auth, for people of a directory that has no OIDC provider in front of it.

Owns the mount and which groups get which policies. TLS is required and verified, empty passwords
are refused, and a login gets nothing but what its groups are given. The password with which Vault
searches the directory goes into a write-only field; the engine keeps an encrypted copy
(pulumi/pulumi-terraform-bridge#3201), so give that user nothing but searching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import TokenLife, refuse


@dataclass(frozen=True, kw_only=True)
class LdapAuthArgs:
    """`groups` maps a group of the directory to the policies of its members.

    `ca_pem` are the certificates that may have signed the server's.
    """

    url: str
    ca_pem: pulumi.Input[str]
    bind_dn: str
    bind_password: pulumi.Input[str] = field(repr=False)
    user_dn: str
    group_dn: str
    groups: Mapping[str, Sequence[str]]
    user_attribute: str = "uid"
    start_tls: bool = False
    bind_password_version: int = 1
    life: TokenLife = field(default_factory=TokenLife)
    path: str = "ldap"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.version("bind_password_version", self.bind_password_version)
        scheme = urlsplit(self.url).scheme
        if scheme != ("ldap" if self.start_tls else "ldaps"):
            raise refuse(
                "url",
                f"{scheme}://…",
                "would send every password in clear, or contradicts start_tls",
                "Use ldaps://host, or ldap://host with start_tls",
            )
        inputs.exact("groups", self.groups, example="ml-engineers")
        for group, policies in self.groups.items():
            inputs.policies(f"group {group} policies", policies)


class LdapAuth(pulumi.ComponentResource):
    """Produces the auth mount with its configuration, and the policies of each group."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: LdapAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:LdapAuth", name, {}, opts)
        mount = vault.ldap.AuthBackend(
            f"{name}-mount",
            path=args.path,
            description="People, by their directory",
            url=args.url,
            starttls=args.start_tls,
            insecure_tls=False,
            certificate=args.ca_pem,
            tls_min_version="tls12",
            binddn=args.bind_dn,
            bindpass_wo=pulumi.Output.secret(args.bind_password),
            bindpass_wo_version=args.bind_password_version,
            deny_null_bind=True,
            userdn=args.user_dn,
            userattr=args.user_attribute,
            groupdn=args.group_dn,
            username_as_alias=True,
            token_no_default_policy=True,
            token_ttl=args.life.ttl,
            token_max_ttl=args.life.max_ttl,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.path = mount.path.apply(lambda path: path or args.path)
        for group, policies in args.groups.items():
            vault.ldap.AuthBackendGroup(
                f"{name}-group-{group}",
                backend=self.path,
                groupname=group,
                policies=list(policies),
                opts=pulumi.ResourceOptions(
                    parent=self, deleted_with=mount, delete_before_replace=True
                ),
            )
        self.register_outputs({"path": self.path})
