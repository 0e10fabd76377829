"""AWS auth of type iam: machines log in with the AWS identity they already have.

Owns the mount, its client and the roles. Vault looks up the identity as its pods' own AWS role
(`iam:GetRole`, `iam:GetUser`); no key is stored. Principals are named in full and tied to AWS's
unique ids, so that a role deleted and made again by somebody else does not log in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.inputs import TokenLife, refuse


@dataclass(frozen=True, kw_only=True)
class AwsRole:
    """Machines that act as one of `principal_arns` (IAM roles or users) get `policies`."""

    name: str
    principal_arns: Sequence[str]
    policies: Sequence[str]
    life: TokenLife = field(default_factory=TokenLife)

    def __post_init__(self) -> None:
        inputs.policies(f"role {self.name} policies", self.policies)
        for arn in self.principal_arns or [""]:
            if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+", arn):
                raise refuse(
                    f"role {self.name} principal_arns",
                    arn,
                    "is not one IAM role or user; whole accounts or sessions could log in",
                    "Write arn:aws:iam::123456789012:role/training",
                )


@dataclass(frozen=True, kw_only=True)
class AwsAuthArgs:
    """`server_id` is a header each login must sign: one for another Vault is of no use here."""

    server_id: str
    region: str
    roles: Sequence[AwsRole]
    path: str = "aws"

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.exact("server_id", [self.server_id], example="vault.example.com")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region):
            raise refuse(
                "region",
                self.region,
                "is no AWS region; logins would be checked at an address that does not exist",
                "Write eu-central-1",
            )
        inputs.role_names("roles", [role.name for role in self.roles])


class AwsAuth(pulumi.ComponentResource):
    """Produces the auth mount, its client's configuration, and the roles."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: AwsAuthArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:AwsAuth", name, {}, opts)
        mount = vault.AuthBackend(
            f"{name}-mount",
            type="aws",
            path=args.path,
            description="Machines, by their AWS identity",
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        client = vault.aws.AuthBackendClient(
            f"{name}-client",
            backend=mount.path,
            iam_server_id_header_value=args.server_id,
            sts_endpoint=f"https://sts.{args.region}.{_domain(args.region)}",
            sts_region=args.region,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=mount),
        )
        for role in args.roles:
            vault.aws.AuthBackendRole(
                f"{name}-role-{role.name}",
                backend=mount.path,
                role=role.name,
                auth_type="iam",
                bound_iam_principal_arns=list(role.principal_arns),
                resolve_aws_unique_ids=True,
                token_policies=list(role.policies),
                token_no_default_policy=True,
                token_ttl=role.life.ttl,
                token_max_ttl=role.life.max_ttl,
                opts=pulumi.ResourceOptions(
                    parent=self, depends_on=[client], deleted_with=mount, delete_before_replace=True
                ),
            )
        self.path = mount.path
        self.register_outputs({"path": self.path})


def _domain(region: str) -> str:
    """China has a domain of its own. Source: AWS, "Service endpoints and quotas"."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
