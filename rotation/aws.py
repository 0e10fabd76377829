"""AWS as the rotations use it. Owns how clients are made: as this process itself, in one region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rotation.documents import refused

# A key that AWS does not know yet is refused with one of these.
_NOT_YET = frozenset({"InvalidClientTokenId", "SignatureDoesNotMatch", "AuthFailure"})
_QUICK = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4})


@dataclass(frozen=True, kw_only=True)
class Aws:
    """`endpoint` replaces AWS by a stand-in."""

    region: str
    endpoint: str | None = None

    def client(self, service: str, **credentials: str) -> Any:
        """A client as this process, or with the `credentials` that are given."""
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            config=_QUICK,
            **credentials,
        )

    def accepts(self, key: str, secret: str) -> bool:
        """Whether AWS takes this access key by now. Raises VaultOpsError for other refusals."""
        try:
            client = self.client("sts", aws_access_key_id=key, aws_secret_access_key=secret)
            client.get_caller_identity()
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_YET:
                return False
            raise refused(error, f"sts GetCallerIdentity as {key}") from None
        except BotoCoreError as error:
            raise refused(error, f"sts GetCallerIdentity as {key}") from None
        return True
