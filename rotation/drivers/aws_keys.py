"""Access keys of one IAM user, as AWS tells of them. Owns the calls; deciding is the drivers'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from rotation.documents import refused

MOST = 2  # AWS keeps no third key of a user


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """One key. `used` is when, in seconds since the epoch, and `service` for what it was used last.

    Both are None before the first request.
    """

    id: str
    active: bool
    used: float | None
    service: str | None


@dataclass(frozen=True, kw_only=True)
class KeysOf:
    """The keys of `user`; `client` is boto3's for IAM. Each call raises VaultOpsError."""

    client: Any = field(repr=False)
    user: str

    @property
    def where(self) -> str:
        """For messages."""
        return f"IAM user {self.user}"

    def all(self) -> list[AccessKey]:
        """Every key."""
        listed = self._ask(lambda: self.client.list_access_keys(UserName=self.user))
        return [self._key(one) for one in listed["AccessKeyMetadata"]]

    def create(self) -> tuple[str, str]:
        """A new key's id and its secret, which nobody can read again."""
        made = self._ask(lambda: self.client.create_access_key(UserName=self.user))["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def deactivate(self, key: str) -> None:
        """Switch a key off; it can be switched on again."""
        self._ask(
            lambda: self.client.update_access_key(
                UserName=self.user, AccessKeyId=key, Status="Inactive"
            )
        )

    def delete(self, key: str) -> None:
        """Delete a key for ever."""
        self._ask(lambda: self.client.delete_access_key(UserName=self.user, AccessKeyId=key))

    def _key(self, one: dict[str, Any]) -> AccessKey:
        key = one["AccessKeyId"]
        last = self._ask(lambda: self.client.get_access_key_last_used(AccessKeyId=key))
        used = last["AccessKeyLastUsed"].get("LastUsedDate")
        service = last["AccessKeyLastUsed"].get("ServiceName") if used else None
        return AccessKey(
            id=key,
            active=one["Status"] == "Active",
            used=used.timestamp() if used else None,
            service=service,
        )

    def _ask(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise refused(error, self.where) from None
