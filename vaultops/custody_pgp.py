"""PGP-wrapped custody: each share is encrypted by Vault to one holder's key.

Owns the two files: wrapped shares, safe to hand on, and the root token, 0600 until it is revoked.
No person can read another's share, and this program can read none.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path

from vaultops.custody import InitRecord
from vaultops.custody_file import archive, check_writable, read_record, sync_folder, write_private
from vaultops.errors import VaultOpsError

# RFC 4880, 4.2: packet tag 6 in the old form, by length of length, and in the new one.
_PUBLIC_KEY_TAGS = (0x98, 0x99, 0x9A, 0x9B, 0xC6)


def read_public_key(path: Path) -> str:
    """A public key file as Vault wants it: base64 without armour. Raises VaultOpsError."""
    where = f"strongroom:vault custodian.keys: {path}"
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise VaultOpsError(
            "a holder's public key cannot be read",
            where=where,
            why=str(reason),
            fix="export it there: gpg --export --armor HOLDER > FILE",
        ) from None
    if b"PRIVATE KEY" in content:
        raise VaultOpsError(
            "this is a private key",
            where=where,
            why="Vault needs the public key; a private key must not leave its holder",
            fix="gpg --export --armor HOLDER > FILE",
        )
    key = _without_armour(content)
    if not key or key[0] not in _PUBLIC_KEY_TAGS:
        raise VaultOpsError(
            "this is no PGP public key",
            where=where,
            why="it starts with no public key packet; a private key must not leave its holder",
            fix="gpg --export --armor HOLDER > FILE",
        )
    return base64.b64encode(key).decode()


def _without_armour(content: bytes) -> bytes:
    if not content.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        return content
    lines = [line.strip() for line in content.decode(errors="replace").splitlines()]
    body = lines[lines.index("") + 1 :] if "" in lines else []
    try:
        return base64.b64decode("".join(x for x in body if not x.startswith(("-", "="))))
    except ValueError:
        return b""


@dataclass(frozen=True)
class PgpCustodian:
    """`pgp_keys` are the holders' public keys, base64, one a share."""

    path: Path
    pgp_keys: tuple[str, ...]

    @property
    def root_token_path(self) -> Path:
        """Where the root token waits until it is revoked."""
        return self.path.with_name(f"{self.path.name}.root-token")

    @property
    def where(self) -> str:
        """The file of the wrapped shares."""
        return f"file {self.path} (shares wrapped for {len(self.pgp_keys)} PGP keys)"

    def check(self) -> None:
        """Prove that the folder can be written."""
        check_writable(self.path)

    def load(self) -> InitRecord | None:
        """The record, with the root token while there is one."""
        record = read_record(self.path)
        if record is None or not self.root_token_path.exists():
            return record
        return replace(record, root_token=self.root_token_path.read_text().strip())

    def store(self, record: InitRecord) -> None:
        """Write the shares first: without them nothing helps, without the root token they do."""
        archive(self.path)
        archive(self.root_token_path)
        write_private(self.path, record.without_root_token().to_json())
        if record.root_token:
            write_private(self.root_token_path, record.root_token)

    def drop_root_token(self) -> None:
        """Delete the root token's file."""
        self.root_token_path.unlink(missing_ok=True)
        sync_folder(self.path.parent)
