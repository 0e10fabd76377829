"""Vault's secrets engines: which databases, cloud roles, authorities and keys workloads may use.

Mounts have fixed names (`database`, `aws`, `pki`, `pki-int`, `transit`, `secret`), because grants
and the deployer's policy are written for them. Holds no password, only the file it is read from.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from settings.base import Section, setting
from settings.types import (
    AWS,
    AnyUrl,
    BucketName,
    Count,
    Cron,
    Duration,
    Flag,
    Label,
    Port,
    RoleArn,
    Text,
    between,
    refuse,
)

_PART = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"

Host = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]
SqlName = Annotated[Text, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
OwnUser = Annotated[SqlName, AfterValidator(lambda value: _no_administrator(value))]
Domain = Annotated[
    Text,
    Field(pattern=rf"^{_PART}(\.{_PART})+$"),
    AfterValidator(lambda value: _one_owners(value)),
]
PolicyArn = Annotated[Text, Field(pattern=rf"^{AWS}:iam::[0-9]{{12}}:policy/[\w+=,.@/-]+$")]


def _no_administrator(value: str) -> str:
    if value in ("postgres", "root", "admin", "rdsadmin", "cloudsqladmin"):
        raise refuse(f"is {value!r}, the administrator, whom a new password locks out")
    return value


def _one_owners(value: str) -> str:
    if value in ("svc.cluster.local", "cluster.local"):
        raise refuse(f"is {value!r}, below which are the services of every namespace")
    return value


class DatabaseAccess(StrEnum):
    """What a login may do with the tables."""

    READ = "read"
    READ_WRITE = "read-write"


class DatabaseRole(Section):
    """Logins made for each request."""

    name: Label = setting(why="grants name it", write="ml-readonly")
    access: DatabaseAccess = setting(
        DatabaseAccess.READ, why="a login can do that and nothing else", write="read"
    )
    ttl: Duration = setting(
        Duration.parse("1h"), why="a login that nobody renews is dropped after it", write="1h"
    )
    max_ttl: Duration = setting(
        Duration.parse("24h"), why="a login is dropped after it at the latest", write="24h"
    )


class StaticDatabaseRole(Section):
    """An existing user whose password Vault changes."""

    name: Label = setting(why="grants name it", write="ml-tracking")
    username: OwnUser = setting(
        why="Vault changes that user's password, at once for the first time", write="tracking"
    )
    schedule: Cron = setting(why="the password is changed then (UTC)", write='"0 3 * * 0"')
    window: Annotated[Duration, between("1h", "365d")] = setting(
        Duration.parse("1h"),
        why="a change that is late by more waits for the next time",
        write="1h",
    )


class Database(Section):
    """One PostgreSQL server, reached with verified TLS."""

    host: Host = setting(
        why="Vault connects there, and the server's certificate must bear that name",
        write="postgres.example.com",
    )
    port: Port = setting(5432, why="Vault connects there", write="5432")
    database: SqlName = setting(why="logins are made for its tables", write="mlflow")
    username: OwnUser = setting(
        "vault", why="Vault makes logins as that user, and nobody else uses it", write="vault"
    )
    password_file: Text = setting(
        why="Vault's first password is read there, and changed as soon as Vault has it",
        write=".strongroom/postgres-vault-password",
    )
    password_version: Count = setting(
        1, why="Vault is given the password anew when it grows", write="2, after a reset", ge=1
    )
    ca_file: Text = setting(
        why="only servers that this CA signed for get Vault's password",
        write=".strongroom/postgres-ca.crt",
    )
    roles: tuple[DatabaseRole, ...] = setting(
        why="logins are made as they say", write="[{name: ml-readonly, access: read}]", min_length=1
    )
    static_roles: tuple[StaticDatabaseRole, ...] = setting(
        (),
        why="these users' passwords change on schedule",
        write='[{name: ml-tracking, username: tracking, schedule: "0 3 * * 0"}]',
    )


class S3Role(Section):
    """Credentials that read named buckets."""

    name: Label = setting(why="grants name it", write="ml-s3-access")
    buckets: tuple[BucketName, ...] = setting(
        why="the credentials read these and nothing else", write="[example-ml-data]", min_length=1
    )
    role: RoleArn | None = setting(
        None,
        why="Vault assumes it, so that credentials end by themselves",
        write="arn:aws:iam::123456789012:role/ml-s3-access",
    )
    permissions_boundary: PolicyArn | None = setting(
        None,
        why="without STS a user is made for each lease, which never exceeds this policy",
        write="arn:aws:iam::123456789012:policy/vault-boundary",
    )


class AwsRootKey(Section):
    """An access key of an IAM user for Vault alone; the file holds it, these settings do not."""

    file: Text = setting(
        why="what `aws iam create-access-key` printed is read there, and kept in no state",
        write=".strongroom/vault-aws-key.json",
    )
    version: Count = setting(
        1,
        why="Vault is given the file's key when it grows, and keeps the rotated one otherwise",
        write="2, after a new key",
        ge=1,
    )


class AwsEngine(Section):
    """AWS credentials; Vault itself uses its pods' own AWS role unless it is given a key."""

    roles: tuple[S3Role, ...] = setting(
        why="credentials are made as they say",
        write="[{name: ml-s3-access, role: arn:aws:iam::…, buckets: [example-ml-data]}]",
        min_length=1,
    )
    endpoint: AnyUrl | None = setting(
        None,
        why="it replaces IAM and STS by a stand-in that Vault's pods reach",
        write="nothing, for the real AWS",
    )
    root_key: AwsRootKey | None = setting(
        None,
        why="without it Vault is its pods' AWS role, whose credentials AWS renews and nobody can "
        "steal for long; a key is for clusters whose pods can have no role",
        write="nothing, or {file: .strongroom/vault-aws-key.json}",
    )


class CertificateRole(Section):
    """Certificates for named domains."""

    name: Label = setting(why="policies name it", write="serving")
    domains: tuple[Domain, ...] = setting(
        why="certificates are made for these only",
        write="[ml-serving.svc.cluster.local]",
        min_length=1,
    )
    subdomains: Flag = setting(False, why="names below the domains are included", write="true")
    ttl: Duration = setting(
        Duration.parse("24h"), why="a stolen certificate is of use that long", write="24h"
    )
    max_ttl: Duration = setting(
        Duration.parse("72h"), why="nobody may ask for a longer life", write="72h"
    )


class Pki(Section):
    """An authority of this Vault's own."""

    common_name: Text = setting(why="certificates show who issued them", write="Example ML")
    roles: tuple[CertificateRole, ...] = setting(
        why="certificates are made as they say",
        write="[{name: serving, domains: [ml-serving.svc.cluster.local], subdomains: true}]",
        min_length=1,
    )


class KeyAlgorithm(StrEnum):
    """What a Transit key can do: the first two encrypt, the others sign."""

    AES256_GCM96 = "aes256-gcm96"
    CHACHA20_POLY1305 = "chacha20-poly1305"
    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256"


class Key(Section):
    """A key that never leaves Vault."""

    name: Label = setting(why="policies name it, and what it encrypted needs it", write="ml-models")
    algorithm: KeyAlgorithm = setting(
        KeyAlgorithm.AES256_GCM96, why="it cannot be changed later", write="aes256-gcm96"
    )
    rotate_after: Annotated[Duration, between("1d", "365d")] = setting(
        Duration.parse("90d"), why="it gets a new version that often", write="90d"
    )


class Transit(Section):
    """Encryption as a service."""

    keys: tuple[Key, ...] = setting(
        why="workloads encrypt with these", write="[{name: ml-models}]", min_length=1
    )


class Engines(Section):
    """Every engine besides the one for written secrets, which is always there."""

    max_versions: Count = setting(
        10, why="so many versions of a written secret are kept", write="10", ge=1, le=1000
    )
    database: Database | None = setting(
        None, why="workloads get logins of it", write="see Pulumi.local.yaml"
    )
    aws: AwsEngine | None = setting(
        None, why="workloads get AWS credentials", write="{roles: [{name: ml-s3-access, …}]}"
    )
    pki: Pki | None = setting(
        None, why="workloads get certificates", write="{commonName: Example ML, roles: […]}"
    )
    transit: Transit | None = setting(
        None, why="workloads encrypt with Vault's keys", write="{keys: [{name: ml-models}]}"
    )
