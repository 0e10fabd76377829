"""Vault's secrets engines, from the settings: database, AWS, PKI and Transit."""

from __future__ import annotations

import pulumi

from components.vault import postgresql
from components.vault.aws import (
    AssumedRole,
    AwsEngine,
    AwsEngineArgs,
    IamUser,
    PodIdentity,
    StoredKey,
)
from components.vault.aws_root_key import DeployerLogin
from components.vault.database import DatabaseEngine, DatabaseEngineArgs, PostgresConnection
from components.vault.database_roles import DynamicRole, RotationSchedule, StaticRole
from components.vault.pki import PkiEngine, PkiEngineArgs, PkiRole
from components.vault.transit import KeyType, TransitEngine, TransitEngineArgs, TransitKey
from settings import engines as wanted
from settings.cloud import Aws
from wiring.files import Contents

_PRIVILEGES = {
    wanted.DatabaseAccess.READ: postgresql.READ,
    wanted.DatabaseAccess.READ_WRITE: postgresql.READ_WRITE,
}


def engines(
    configured: wanted.Engines,
    files: Contents,
    *,
    address: str,
    deployer: DeployerLogin,
    aws: Aws | None,
    protect: bool,
    opts: pulumi.ResourceOptions,
) -> None:
    """Every engine that is configured; `files` are what files.read has read.

    `address` stands in certificates; `deployer` is how Vault is reached where no provider is used.
    """
    if configured.database:
        DatabaseEngine("database", _database(configured.database, files, protect), opts)
    if configured.aws and aws:
        AwsEngine("aws-engine", _aws(configured.aws, aws, deployer, protect), opts)
    if configured.pki:
        PkiEngine("pki", _pki(configured.pki, address, protect), opts)
    if configured.transit:
        keys = tuple(
            TransitKey(
                name=key.name, type=KeyType(key.algorithm), rotate_after=key.rotate_after.seconds
            )
            for key in configured.transit.keys
        )
        TransitEngine("transit", TransitEngineArgs(keys=keys, protect=protect), opts)


def _database(database: wanted.Database, files: Contents, protect: bool) -> DatabaseEngineArgs:
    return DatabaseEngineArgs(
        connection=PostgresConnection(
            name=database.database,
            host=database.host,
            port=database.port,
            database=database.database,
            username=database.username,
            password=files["engines.database.passwordFile"],
            password_version=database.password_version,
            ca_pem=files["engines.database.caFile"],
        ),
        roles=tuple(
            DynamicRole(
                name=role.name,
                privileges=_PRIVILEGES[role.access],
                ttl=role.ttl.seconds,
                max_ttl=role.max_ttl.seconds,
            )
            for role in database.roles
        ),
        static_roles=tuple(
            StaticRole(
                name=role.name,
                username=role.username,
                rotation=RotationSchedule(cron=role.schedule, window=role.window.seconds),
            )
            for role in database.static_roles
        ),
        protect=protect,
    )


def _aws(
    engine: wanted.AwsEngine, aws: Aws, deployer: DeployerLogin, protect: bool
) -> AwsEngineArgs:
    key = engine.root_key
    return AwsEngineArgs(
        identity=StoredKey(file=key.file, version=key.version, deployer=deployer)
        if key
        else PodIdentity(),
        region=aws.region,
        endpoint=engine.endpoint,
        roles=tuple(_aws_role(role) for role in engine.roles),
        protect=protect,
    )


def _aws_role(role: wanted.S3Role) -> AssumedRole | IamUser:
    if role.role:
        return AssumedRole(name=role.name, role_arn=role.role, buckets=role.buckets)
    return IamUser(
        name=role.name,
        permissions_boundary_arn=role.permissions_boundary or "",
        buckets=role.buckets,
    )


def _pki(pki: wanted.Pki, address: str, protect: bool) -> PkiEngineArgs:
    return PkiEngineArgs(
        common_name=pki.common_name,
        address=address,
        roles=tuple(
            PkiRole(
                name=role.name,
                allowed_domains=role.domains,
                subdomains=role.subdomains,
                ttl=role.ttl.seconds,
                max_ttl=role.max_ttl.seconds,
            )
            for role in pki.roles
        ),
        protect=protect,
    )
