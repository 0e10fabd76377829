"""How Vault unseals, and who keeps what its initialisation hands out.

Holds no share, token or key: only where they are, or where they go.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.base import Section, setting
from settings.types import (
    AnyUrl,
    Count,
    Flag,
    GcpName,
    HttpsUrl,
    KmsKey,
    ObjectName,
    RoleArn,
    Text,
    refuse,
)

# HashiCorp's chart replaces these in Vault's configuration when a pod starts.
REPLACED_AT_START = ("HOST_IP", "POD_IP", "HOSTNAME", "API_ADDR", "TRANSIT_ADDR", "RAFT_ADDR")


def _as_written(value: str) -> str:
    if not value.isprintable() or set(value) & set('"\\${}'):
        raise refuse(f"is {value!r}, which would end or change its line in Vault's configuration")
    if word := next((word for word in REPLACED_AT_START if word in value), None):
        raise refuse(f"is {value!r}, in which Vault's chart replaces {word} when a pod starts")
    return value


AsWritten = AfterValidator(_as_written)


class SealType(StrEnum):
    """What decrypts Vault's root key at start."""

    AWSKMS = "awskms"
    GCPCKMS = "gcpckms"
    TRANSIT = "transit"
    SHAMIR = "shamir"


class AwsKmsSeal(Section):
    """An AWS KMS key, used by the pods' own IAM role."""

    type: Literal[SealType.AWSKMS] = setting(why="it chooses the seal", write="awskms")
    key: Annotated[KmsKey, AsWritten] | None = setting(
        None,
        why="losing that key is losing Vault",
        write="arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    )
    create_key: Flag = setting(
        False, why="it makes a key of this stack's own, rotated every year", write="true"
    )
    deletion_window: Count = setting(
        30, why="days in which a deleted key can be called back", write="30", ge=7, le=30
    )
    role: RoleArn | None = setting(
        None,
        why="Vault's pods use the key as this role, without stored credentials",
        write="arn:aws:iam::123456789012:role/strongroom-vault",
    )
    endpoint: AnyUrl | None = setting(
        None, why="it replaces AWS KMS by a stand-in", write="nothing, for the real AWS KMS"
    )


class GcpKmsSeal(Section):
    """A Cloud KMS key, used through workload identity."""

    type: Literal[SealType.GCPCKMS] = setting(why="it chooses the seal", write="gcpckms")
    key_ring: Annotated[GcpName, AsWritten] = setting(
        why="the key lives in it and cannot move", write="strongroom"
    )
    key: Annotated[GcpName, AsWritten] = setting(
        why="losing that key is losing Vault", write="vault-unseal"
    )
    create_key: Flag = setting(
        False, why="it makes ring and key in this stack, rotated every 90 days", write="true"
    )
    service_account: Text | None = setting(
        None,
        why="Vault's pods use the key as this Google account",
        write="vault@example-project.iam.gserviceaccount.com",
        pattern=r"^[a-z][a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com$",
    )


class TransitSeal(Section):
    """The Transit engine of another Vault."""

    type: Literal[SealType.TRANSIT] = setting(why="it chooses the seal", write="transit")
    address: Annotated[HttpsUrl, AsWritten] = setting(
        why="this Vault starts only while that one answers", write="https://vault.example.com:8200"
    )
    mount: Annotated[Text, AsWritten] = setting(
        "transit", why="the engine is mounted there", write="transit"
    )
    key_name: Annotated[Text, AsWritten] = setting(
        why="losing that key is losing this Vault", write="strongroom-unseal"
    )
    token_secret: ObjectName = setting(
        why="pods read the token for the other Vault from this Secret's key `token`",
        write="vault-transit-token",
    )
    ca_secret: ObjectName | None = setting(
        None,
        why="pods verify the other Vault with this Secret's key `ca.crt`",
        write="vault-transit-ca",
    )


class ShamirSeal(Section):
    """Key shares that people enter after every start of a pod."""

    type: Literal[SealType.SHAMIR] = setting(why="it chooses the seal", write="shamir")
    accept_manual_unseal: Flag = setting(
        False, why="every restarted pod stays sealed until people act", write="true"
    )


Seal = Annotated[AwsKmsSeal | GcpKmsSeal | TransitSeal | ShamirSeal, Field(discriminator="type")]


class CustodianType(StrEnum):
    """Who receives the recovery (or unseal) shares."""

    FILE = "file"
    PGP = "pgp"
    AWS = "aws-secrets-manager"
    GCP = "gcp-secret-manager"


class _Shares(Section):
    shares: Count = setting(5, why="that many people hold a part", write="5", ge=1, le=20)
    threshold: Count = setting(3, why="that many of them must agree", write="3", ge=1, le=20)


class FileCustodian(_Shares):
    """A file only the deployer reads (0600), in clear: for this machine only."""

    type: Literal[CustodianType.FILE] = setting(why="it chooses the custodian", write="file")
    path: Text = setting(
        ".strongroom/vault-init.json",
        why="without that file a sealed Vault's recovery is lost",
        write=".strongroom/vault-init.json",
    )


class PgpCustodian(_Shares):
    """A file in which each share is encrypted to one person's PGP key."""

    type: Literal[CustodianType.PGP] = setting(why="it chooses the custodian", write="pgp")
    path: Text = setting(
        why="each holder fetches the own share from it", write="vault-init.pgp.json"
    )
    keys: tuple[Text, ...] = setting(
        why="one public key for each share", write="[keys/first.asc, keys/second.asc, …]"
    )


class AwsCustodian(_Shares):
    """A secret in AWS Secrets Manager, under a key of its own."""

    type: Literal[CustodianType.AWS] = setting(
        why="it chooses the custodian", write="aws-secrets-manager"
    )
    name: Text = setting(why="the secret is stored under it", write="strongroom/prod/vault-init")
    kms_key: KmsKey | None = setting(
        None,
        why="who may use that key may read the shares",
        write="arn:aws:kms:eu-central-1:123456789012:alias/strongroom-custody",
    )


class GcpCustodian(_Shares):
    """A secret in Google Secret Manager."""

    type: Literal[CustodianType.GCP] = setting(
        why="it chooses the custodian", write="gcp-secret-manager"
    )
    name: GcpName = setting(why="the secret is stored under it", write="strongroom-vault-init")


Custodian = Annotated[
    FileCustodian | PgpCustodian | AwsCustodian | GcpCustodian, Field(discriminator="type")
]
