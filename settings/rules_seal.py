"""The rules about unsealing and custody: who can start Vault, and who keeps its shares.

Each is a generator over the whole Settings; settings/rules.py runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from settings.cloud import Cloud
from settings.environments import Environment
from settings.errors import Problem
from settings.seal import (
    AwsCustodian,
    AwsKmsSeal,
    FileCustodian,
    GcpCustodian,
    GcpKmsSeal,
    PgpCustodian,
    ShamirSeal,
)

if TYPE_CHECKING:
    from settings.root import Settings


def _seal(settings: Settings) -> Iterator[Problem]:
    seal = settings.vault.seal
    needed = {AwsKmsSeal: Cloud.AWS, GcpKmsSeal: Cloud.GCP}.get(type(seal))
    if needed and settings.cloud is not needed:
        yield Problem(
            "vault.seal.type",
            f"is {str(seal.type)!r} though `cloud` is {settings.cloud}",
            "Vault could not reach its key and would stay sealed",
            f"`cloud: {needed}`, or another seal",
            also=("cloud",),
        )
    if isinstance(seal, AwsKmsSeal) and (seal.key is None) is not seal.create_key:
        given = "both a key and createKey" if seal.create_key else "neither a key nor createKey"
        yield Problem(
            "vault.seal.key",
            f"is unclear: the seal has {given}",
            "losing the key is losing Vault, so it must be certain which one it is",
            "either `key: arn:aws:kms:…` or `createKey: true`",
            also=("vault.seal.createKey",),
        )
    if not isinstance(seal, ShamirSeal) and settings.network.kms is None:
        yield Problem(
            "network.kms",
            f"is missing though `vault.seal.type` is {seal.type}",
            "network policies would cut Vault off from its key, and it would stay sealed",
            '{cidrs: ["10.0.0.0/16"], port: 443}, the addresses that hold the key',
            also=("vault.seal.type",),
        )
    yield from _key_users(settings)
    if (
        isinstance(seal, ShamirSeal)
        and settings.environment is Environment.PROD
        and not seal.accept_manual_unseal
    ):
        yield Problem(
            "vault.seal.type",
            "is 'shamir' in environment prod",
            "every restarted pod stays sealed until enough people enter their shares",
            "awskms or gcpckms; or add `acceptManualUnseal: true` if people are on call for it",
            also=("environment", "vault.seal.acceptManualUnseal"),
        )


def _key_users(settings: Settings) -> Iterator[Problem]:
    """A key that this stack makes belongs to an account and is used by one identity."""
    seal, aws = settings.vault.seal, settings.aws
    if isinstance(seal, AwsKmsSeal) and seal.create_key and aws:
        # On `local` the stand-in's endpoint is added by `make up`, and it asks for no role.
        if seal.role is None and settings.environment is not Environment.LOCAL:
            yield Problem(
                "vault.seal.role",
                "is missing though `createKey` is true",
                "the key's policy must name who may use it, and nobody else can",
                "arn:aws:iam::123456789012:role/strongroom-vault",
                also=("vault.seal.createKey",),
            )
        elif seal.role and aws.account_id not in (None, seal.role.split(":")[4]):
            yield Problem(
                "vault.seal.role",
                f"is {seal.role!r}, which is not of account {aws.account_id}",
                "another account's administrators would decide who decrypts",
                f"arn:aws:iam::{aws.account_id}:role/strongroom-vault",
                also=("aws.accountId",),
            )
        if aws.account_id is None:
            yield Problem(
                "aws.accountId",
                "is missing though `vault.seal.createKey` is true",
                "the key's policy names the account that administers it",
                '"123456789012" (quoted, 12 digits)',
                also=("vault.seal.createKey",),
            )
    if (
        isinstance(seal, GcpKmsSeal)
        and settings.gcp
        and seal.create_key
        and seal.service_account is None
    ):
        yield Problem(
            "vault.seal.serviceAccount",
            "is missing though `createKey` is true",
            "the key is made for exactly one account, and nobody else can use it",
            "vault@example-project.iam.gserviceaccount.com",
            also=("vault.seal.createKey",),
        )


def _custodian(settings: Settings) -> Iterator[Problem]:
    custodian = settings.vault.custodian
    if isinstance(custodian, FileCustodian) and settings.environment is not Environment.LOCAL:
        yield Problem(
            "vault.custodian.type",
            f"is 'file' in environment {settings.environment}",
            "the shares would lie in clear on one disk",
            "pgp, aws-secrets-manager or gcp-secret-manager",
            also=("environment",),
        )
    needed = {AwsCustodian: Cloud.AWS, GcpCustodian: Cloud.GCP}.get(type(custodian))
    if needed and settings.cloud is not needed:
        yield Problem(
            "vault.custodian.type",
            f"is {str(custodian.type)!r} though `cloud` is {settings.cloud}",
            "the shares of the first start could not be handed over",
            f"`cloud: {needed}`, or another custodian",
            also=("cloud",),
        )
    if custodian.threshold > custodian.shares:
        yield Problem(
            "vault.custodian.threshold",
            f"is {custodian.threshold}, more than the {custodian.shares} shares",
            "nobody could ever bring enough of them together",
            f"at most {custodian.shares}",
            also=("vault.custodian.shares",),
        )
    elif custodian.threshold < 2 and settings.environment is Environment.PROD:
        yield Problem(
            "vault.custodian.threshold",
            "is 1 in environment prod",
            "one person alone could make a new root token",
            "2 or more; 3 of 5 is usual",
            also=("environment",),
        )
    if isinstance(custodian, PgpCustodian) and len(custodian.keys) != custodian.shares:
        yield Problem(
            "vault.custodian.keys",
            f"has {len(custodian.keys)} entries for {custodian.shares} shares",
            "each share is encrypted to exactly one person",
            f"{custodian.shares} public key files",
            also=("vault.custodian.shares",),
        )


SEAL_RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (_seal, _custodian)
