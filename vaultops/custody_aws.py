"""AWS Secrets Manager as custodian. Owns the secret's versions; the key and access are AWS's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from vaultops.custody import InitRecord
from vaultops.errors import VaultOpsError

# AWS makes the first version of a secret the current one, so a check's version must be known.
_NO_RECORD = "strongroom: no record yet"
_CHECK_STAGE = "strongroom-check"
_FIX = (
    "let the deployer's AWS identity create, read, describe and put values of that secret "
    "(secretsmanager:CreateSecret, DescribeSecret, GetSecretValue, PutSecretValue, "
    "UpdateSecretVersionStage)"
)


@dataclass(frozen=True)
class AwsSecretsManagerCustodian:
    """The record as the value of one secret; every older record stays a version of its own.

    `kms_key` None means the account's default key. `endpoint` replaces AWS by a stand-in.
    """

    name: str
    region: str
    kms_key: str | None = None
    endpoint: str | None = None
    pgp_keys: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The secret's name and region."""
        return f"AWS secret {self.name} ({self.region})"

    @property
    def _client(self) -> Any:
        return boto3.client("secretsmanager", region_name=self.region, endpoint_url=self.endpoint)

    def check(self) -> None:
        """Make the secret and put a version beside the current one, to see both rights work.

        Raises VaultOpsError when AWS refuses.
        """
        try:
            if not self._exists():
                key = {"KmsKeyId": self.kms_key} if self.kms_key else {}
                self._client.create_secret(
                    Name=self.name,
                    Description="Vault initialisation: recovery or unseal shares",
                    **key,
                )
            self._client.put_secret_value(
                SecretId=self.name, SecretString=_NO_RECORD, VersionStages=[_CHECK_STAGE]
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from None

    def load(self) -> InitRecord | None:
        """The current version's record. Raises VaultOpsError when AWS refuses."""
        try:
            answer = self._client.get_secret_value(SecretId=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise self._failure(error) from None
        except BotoCoreError as error:
            raise self._failure(error) from None
        text = answer.get("SecretString", "")
        return None if text == _NO_RECORD else InitRecord.read(text, self.where)

    def store(self, record: InitRecord) -> None:
        """Put a new version; the older one gets a stage label, so that AWS never collects it."""
        try:
            older = self._current_version()
            self._client.put_secret_value(SecretId=self.name, SecretString=record.to_json())
            if older:
                self._client.update_secret_version_stage(
                    SecretId=self.name,
                    VersionStage=f"before-{record.created}",
                    MoveToVersionId=older,
                )
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from None

    def drop_root_token(self) -> None:
        """Put a version without the token, and take the other's label so that AWS deletes it."""
        record = self.load()
        if record is None or record.root_token is None:
            return
        try:
            older = self._current_version()
            self._client.put_secret_value(
                SecretId=self.name, SecretString=record.without_root_token().to_json()
            )
            self._client.update_secret_version_stage(
                SecretId=self.name, VersionStage="AWSPREVIOUS", RemoveFromVersionId=older
            )
        except (ClientError, BotoCoreError) as error:
            raise self._failure(error) from None

    def _exists(self) -> bool:
        try:
            self._client.describe_secret(SecretId=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return True

    def _current_version(self) -> str | None:
        versions = self._client.describe_secret(SecretId=self.name).get("VersionIdsToStages", {})
        return next((v for v, stages in versions.items() if "AWSCURRENT" in stages), None)

    def _failure(self, error: Exception) -> VaultOpsError:
        return VaultOpsError(
            "AWS Secrets Manager refuses the custodian",
            where=f"strongroom:vault custodian.name: {self.name} ({self.region})",
            why=str(error),
            fix=_FIX,
        )
