"""Initialisation records to test with. Fake, and says so."""

from __future__ import annotations

from vaultops.custody import InitRecord

FAKE_ROOT = "fake-root-token"
FAKE_SHARES = ("fake-share-one", "fake-share-two", "fake-share-three")


def record(**changes: object) -> InitRecord:
    """A record with a root token."""
    values: dict[str, object] = {
        "shares": FAKE_SHARES,
        "threshold": 2,
        "seal_type": "awskms",
        "root_token": FAKE_ROOT,
    }
    return InitRecord(**{**values, **changes})  # type: ignore[arg-type]
