"""Where a rotated credential is published: a secret of Vault's KV engine, or of Secrets Manager.

Owns reading it and replacing it whole, by check-and-set: whoever wrote in between is not
overwritten. What stands in the document is the driver's matter.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from rotation import vault
from rotation.credential import Credential
from rotation.record import Conflict
from rotation.vault import Clients
from vaultops.errors import DoubtError, VaultOpsError

Values = Mapping[str, object]

# Where a version waits until it takes over AWSCURRENT, for which AWS compares the holder.
_NEXT = "strongroom-next"


class Document(Protocol):
    """One published secret."""

    @property
    def where(self) -> str:
        """Its place, for messages."""

    def read(self) -> tuple[Values, str]:
        """The values now, and the version they have. Raises VaultOpsError."""

    def replace(self, values: Values, version: str) -> None:
        """Publish in place of exactly `version`. Raises DoubtError, VaultOpsError."""


@dataclass(frozen=True)
class KvDocument:
    """A KV v2 secret, by the path that people type (`secret/ml/mlflow`)."""

    clients: Clients
    path: str

    @property
    def where(self) -> str:
        """The path."""
        return self.path

    def read(self) -> tuple[Values, str]:
        """The newest version."""
        values, version = vault.read_secret(self.clients, self.path)
        if values is None:
            raise _nothing(self.where)
        return values, str(version)

    def replace(self, values: Values, version: str) -> None:
        """The next version, with Vault's check-and-set."""
        try:
            vault.write_secret(self.clients, self.path, values, int(version))
        except Conflict:
            raise _changed(self.where) from None


@dataclass(frozen=True)
class SecretsManagerDocument:
    """A secret of AWS whose text is a JSON object; `client` is boto3's."""

    client: Any = field(repr=False)
    name: str

    @property
    def where(self) -> str:
        """The secret's name."""
        return f"AWS secret {self.name}"

    def read(self) -> tuple[Values, str]:
        """The version that is AWSCURRENT."""
        try:
            answer = self.client.get_secret_value(SecretId=self.name, VersionStage="AWSCURRENT")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise _nothing(self.where) from None
            raise refused(error, self.where) from None
        except BotoCoreError as error:
            raise refused(error, self.where) from None
        try:
            values = json.loads(answer.get("SecretString", ""))
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise VaultOpsError(
                "the published secret cannot be used",
                where=self.where,
                why="its text is no JSON object",
                fix="store a JSON object; its other keys are kept by every rotation",
            )
        return values, str(answer["VersionId"])

    def replace(self, values: Values, version: str) -> None:
        """A new version, which takes AWSCURRENT from `version`.

        It is read again for a clear message; AWS itself refuses when another has it meanwhile.
        """
        try:
            put = self.client.put_secret_value(
                SecretId=self.name,
                ClientRequestToken=str(uuid.uuid4()),
                SecretString=json.dumps(values, sort_keys=True),
                VersionStages=[_NEXT],
            )
            if self.read()[1] != version:
                raise _changed(self.where)
            self.client.update_secret_version_stage(
                SecretId=self.name,
                VersionStage="AWSCURRENT",
                MoveToVersionId=put["VersionId"],
                RemoveFromVersionId=version,
            )
        except (ClientError, BotoCoreError) as error:
            raise refused(error, self.where) from None


class CredentialStore:
    """A document as the alternation's store: what `current` read is what `publish` replaces."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._version = ""

    def current(self) -> Credential:
        """The published credential. Raises VaultOpsError, RotationError."""
        values, self._version = self._document.read()
        return Credential.read(json.dumps(values), where=self._document.where)

    def publish(self, credential: Credential) -> None:
        """Replace it. Raises DoubtError when it was changed since `current`."""
        self._document.replace(json.loads(credential.text()), self._version)


def refused(error: ClientError | BotoCoreError, where: str) -> VaultOpsError:
    """AWS's refusal, which never quotes what was sent."""
    return VaultOpsError(
        "AWS refuses the request",
        where=where,
        why=str(error),
        fix="compare the rotator's IAM policy with docs/runbooks/rotation.md",
    )


def _nothing(where: str) -> VaultOpsError:
    return VaultOpsError(
        "there is no published credential to begin with",
        where=where,
        why="the secret does not exist, or its newest version was deleted",
        fix="write the credential that is in use there; docs/runbooks/rotation.md shows its form",
    )


def _changed(where: str) -> DoubtError:
    return DoubtError(
        "the published credential was changed by somebody else; it was left as it is",
        where=where,
        why="it is not the version any more that this rotation began with",
        fix="find out who writes it beside the rotator, then run the rotation again",
    )
