"""The hash that stands for a secret in the baseline and in reports.

A plain hash of a weak password is found by trying a list of passwords. So the hash is scrypt with
the repository's own random salt: no list made beforehand fits, and each try costs 4 MiB and some
ten milliseconds. It is no shelter for a live weak password: what was leaked is changed first, and
accepted afterwards.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

SALT_BYTES = 16
_HASH_BYTES = 10
_COST = 2**12


def new_salt() -> bytes:
    """A salt for a repository that has none yet."""
    return secrets.token_bytes(SALT_BYTES)


def fingerprints(values: Iterable[str], salt: bytes) -> dict[str, str]:
    """Each distinct value's hash, 20 hex digits. The work is shared among the processor's cores."""
    distinct = list(dict.fromkeys(values))

    def one(value: str) -> str:
        raw = value.encode(errors="surrogateescape")
        return hashlib.scrypt(raw, salt=salt, n=_COST, r=8, p=1, dklen=_HASH_BYTES).hex()

    with ThreadPoolExecutor() as pool:
        return dict(zip(distinct, pool.map(one, distinct), strict=True))
