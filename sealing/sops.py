"""Encrypting and opening with the real sops: keys of a key service, or age.

Owns the call. Nothing is read from a .sops.yaml here: who can open the result is given in full.
"""

from __future__ import annotations

from dataclasses import dataclass

from sealing.programs import run
from vaultops.errors import VaultOpsError

# sops looks for a .sops.yaml upwards of the working folder, and stops at a wrong one.
NO_RULES = ("--config", "/dev/null")
JSON = ("--input-type", "json", "--output-type", "json")


@dataclass(frozen=True, kw_only=True)
class Recipients:
    """Who can open what is encrypted: each of the keys alone."""

    age: tuple[str, ...] = ()
    aws_kms: str | None = None
    gcp_kms: str | None = None

    def options(self) -> list[str]:
        """As sops takes them. Raises VaultOpsError when there is nobody."""
        found = []
        if self.age:
            found += ["--age", ",".join(self.age)]
        if self.aws_kms:
            found += ["--kms", self.aws_kms]
        if self.gcp_kms:
            found += ["--gcp-kms", self.gcp_kms]
        if not found:
            raise VaultOpsError(
                "nobody could open the backup; nothing was done",
                where="strongroom:sealedSecrets.backup",
                why="it names no key",
                fix="set awsKms, gcpKms or age",
            )
        return found


def encrypt(plain: bytes, recipients: Recipients, *, fields: str) -> bytes:
    """JSON in which the values of fields matching the expression `fields` are encrypted."""
    return run(
        [
            "sops",
            *NO_RULES,
            "encrypt",
            *recipients.options(),
            "--encrypted-regex",
            fields,
            *JSON,
            "--filename-override",
            "backup.json",
        ],
        plain,
    )


def decrypt(encrypted: bytes) -> bytes:
    """The JSON again, opened with whatever key this person has. Raises VaultOpsError without."""
    return run(["sops", *NO_RULES, "decrypt", *JSON], encrypted)
