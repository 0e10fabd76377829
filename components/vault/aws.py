"""The AWS engine: short-lived AWS credentials for workloads.

Owns the mount, Vault's own identity at AWS, and the roles. Prefer `AssumedRole`: STS credentials
work at once and end by themselves, narrowed by a session policy. `IamUser` makes and deletes a user
for each lease and is for accounts that refuse STS; its users cannot exceed a permissions boundary.

Vault's identity is the pods' own unless a key is given. The provider's write-only field is not used
for it: the engine would keep an encrypted copy of the field (pulumi/pulumi-terraform-bridge#3201),
and could not leave a rotated key alone yet write a new one on purpose. aws_root_key.py does both.
Vault replaces its whole identity when any of it is written, so with a key the mount's own resource
never writes again: region, endpoint and key change together, when `version` grows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from components.vault import inputs
from components.vault.aws_root_key import DeployerLogin, RootKey
from components.vault.inputs import DAY, HOUR, refuse
from components.vault.s3_policy import s3_read_policy

STS_LEAST = 900
# A role that was itself assumed (a pod's) can hand on an hour at most.
STS_MOST = HOUR
_WRITTEN_WITH_THE_KEY = ("accessKey", "region", "iamEndpoint", "stsEndpoint", "stsRegion")


@dataclass(frozen=True, kw_only=True)
class PodIdentity:
    """Vault's pods have an AWS role of their own (IRSA, Pod Identity): nothing is stored."""


@dataclass(frozen=True, kw_only=True)
class StoredKey:
    """An access key of a user for Vault alone, in a file as `aws iam create-access-key` prints it.

    Vault is given it when `version` grows, and never otherwise.
    """

    file: str
    deployer: DeployerLogin
    version: int = 1

    def __post_init__(self) -> None:
        inputs.version("key version", self.version)


@dataclass(frozen=True, kw_only=True)
class AssumedRole:
    """STS credentials of `role_arn`, cut down to reading `buckets`, for `ttl` seconds."""

    name: str
    role_arn: str
    buckets: Sequence[str]
    ttl: int = HOUR

    def __post_init__(self) -> None:
        _arn("role_arn", self.role_arn, "role")
        _ = self.policy
        if not STS_LEAST <= self.ttl <= STS_MOST:
            raise refuse(
                f"role {self.name} ttl",
                self.ttl,
                "is not a life that STS gives to an assumed role's own session",
                f"Use {STS_LEAST} to {STS_MOST} seconds",
            )

    @property
    def policy(self) -> str:
        """What a session may do at most, in the role's own partition of AWS."""
        return s3_read_policy(self.buckets, partition=self.role_arn.split(":")[1])


@dataclass(frozen=True, kw_only=True)
class IamUser:
    """An IAM user for each lease that reads `buckets`, never more than the boundary allows."""

    name: str
    permissions_boundary_arn: str
    buckets: Sequence[str]

    def __post_init__(self) -> None:
        _arn("permissions_boundary_arn", self.permissions_boundary_arn, "policy")
        _ = self.policy

    @property
    def policy(self) -> str:
        """What a user may do at most, in the boundary's own partition of AWS."""
        partition = self.permissions_boundary_arn.split(":")[1]
        return s3_read_policy(self.buckets, partition=partition)


@dataclass(frozen=True, kw_only=True)
class AwsEngineArgs:
    """`endpoint` replaces IAM and STS by a stand-in; `protect` keeps the mount from deletion."""

    region: str
    roles: Sequence[AssumedRole | IamUser]
    identity: PodIdentity | StoredKey = PodIdentity()
    endpoint: str | None = None
    path: str = "aws"
    protect: bool = False

    def __post_init__(self) -> None:
        inputs.mount_path("path", self.path)
        inputs.role_names("roles", [role.name for role in self.roles])


class AwsEngine(pulumi.ComponentResource):
    """Produces the mount with Vault's identity, and the roles."""

    path: pulumi.Output[str]

    def __init__(
        self, name: str, args: AwsEngineArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:AwsEngine", name, {}, opts)
        key = args.identity if isinstance(args.identity, StoredKey) else None
        engine = vault.aws.SecretBackend(
            f"{name}-mount",
            path=args.path,
            description="AWS credentials, made on request",
            region=args.region,
            iam_endpoint=args.endpoint,
            sts_endpoint=args.endpoint,
            sts_region=args.region if args.endpoint else None,
            default_lease_ttl_seconds=HOUR,
            max_lease_ttl_seconds=DAY,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                delete_before_replace=True,
                ignore_changes=list(_WRITTEN_WITH_THE_KEY) if key else None,
            ),
        )
        below = pulumi.ResourceOptions(parent=self, deleted_with=engine, delete_before_replace=True)
        path = engine.path.apply(lambda path: path or args.path)
        if key:
            RootKey(
                f"{name}-root-key",
                path=path,
                file=key.file,
                version=key.version,
                region=args.region,
                endpoint=args.endpoint,
                deployer=key.deployer,
                opts=pulumi.ResourceOptions(parent=self, deleted_with=engine),
            )
        for role in args.roles:
            if isinstance(role, AssumedRole):
                vault.aws.SecretBackendRole(
                    f"{name}-role-{role.name}",
                    backend=path,
                    name=role.name,
                    credential_type="assumed_role",
                    role_arns=[role.role_arn],
                    policy_document=role.policy,
                    default_sts_ttl=role.ttl,
                    max_sts_ttl=role.ttl,
                    opts=below,
                )
            else:
                vault.aws.SecretBackendRole(
                    f"{name}-role-{role.name}",
                    backend=path,
                    name=role.name,
                    credential_type="iam_user",
                    permissions_boundary_arn=role.permissions_boundary_arn,
                    policy_document=role.policy,
                    user_path="/vault/",
                    opts=below,
                )
        self.path = path
        self.register_outputs({"path": self.path})


def _arn(name: str, value: str, kind: str) -> None:
    if not re.fullmatch(rf"arn:aws[a-z-]*:iam::\d{{12}}:{kind}/[\w+=,.@/-]+", value):
        raise refuse(
            name,
            value,
            f"is no ARN of one {kind}; a pattern would let Vault act as whatever matches",
            f"Write arn:aws:iam::123456789012:{kind}/name",
        )
