"""Who keeps what Vault hands out once at its initialisation.

Owns the record's form and what every custodian promises: it can be written before Vault is
initialised, a record is never overwritten by another one, and the root token can be dropped from
it. The custodians themselves: `custody_file`, `custody_pgp`, `custody_aws`, `custody_gcp`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from vaultops.errors import VaultOpsError

FORMAT = 1


def now() -> str:
    """This moment as it stands in records and archive names: UTC, to the microsecond."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


@dataclass(frozen=True, kw_only=True)
class InitRecord:
    """Vault's init response. `shares` unseal a Shamir seal, and authorise under any other.

    `wrapped` shares are encrypted to one PGP key each. `root_token` None: revoked and dropped.
    """

    shares: tuple[str, ...] = field(repr=False)
    threshold: int
    seal_type: str
    wrapped: bool = False
    root_token: str | None = field(default=None, repr=False)
    created: str = field(default_factory=now)

    @classmethod
    def from_response(
        cls, response: Mapping[str, Any], *, seal_type: str, threshold: int, wrapped: bool
    ) -> InitRecord:
        """The record of Vault's answer to `sys/init`."""
        shares = response.get("recovery_keys_base64") or response["keys_base64"]
        return cls(
            shares=tuple(shares),
            threshold=threshold,
            seal_type=seal_type,
            wrapped=wrapped,
            root_token=response["root_token"],
        )

    def without_root_token(self) -> InitRecord:
        """The same record, the root token gone."""
        return replace(self, root_token=None)

    def to_json(self) -> str:
        """The record as text; holds secrets."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> InitRecord:
        """Read `to_json`'s text. Raises ValueError for another format."""
        content = json.loads(text)
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError(f"not an initialisation record of format {FORMAT}")
        try:
            return cls(**{**content, "shares": tuple(content["shares"])})
        except (KeyError, TypeError):
            raise ValueError("an initialisation record with wrong fields") from None

    @classmethod
    def read(cls, text: str, where: str) -> InitRecord:
        """A custodian's record. Raises VaultOpsError that shows nothing of a text that is none."""
        try:
            return cls.from_json(text)
        except ValueError as reason:
            raise VaultOpsError(
                "what the custodian keeps is no initialisation record",
                where=where,
                why=type(reason).__name__,
                fix="restore it from a backup or an older version, or correct the custodian in "
                "the stack; do not delete it while Vault holds data",
            ) from None


class Custodian(Protocol):
    """Keeps one record. `where` names the place for people, `pgp_keys` wrap the shares."""

    @property
    def where(self) -> str:
        """The place, for messages."""

    @property
    def pgp_keys(self) -> tuple[str, ...]:
        """Base64 public keys, one a share; none: shares come in clear."""

    def check(self) -> None:
        """Prove that a record can be written. Raises VaultOpsError; called before Vault's init."""

    def load(self) -> InitRecord | None:
        """The newest record, None when there is none."""

    def store(self, record: InitRecord) -> None:
        """Keep a new record durably; an older one stays, under a name with a timestamp."""

    def drop_root_token(self) -> None:
        """Remove the root token from the record for good."""
