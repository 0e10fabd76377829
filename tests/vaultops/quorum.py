"""What the holders of recovery shares can do together. Owns Vault's generate-root dialogue."""

from __future__ import annotations

from base64 import b64decode

import hvac

from vaultops.custody import InitRecord


def root_token(client: hvac.Client, record: InitRecord) -> str:
    """A new root token, made with as many of the record's shares as are needed. Revoke it."""
    attempt = client.adapter.put("/v1/sys/generate-root/attempt", json={})
    for share in record.shares[: record.threshold]:
        answer = client.adapter.put(
            "/v1/sys/generate-root/update", json={"key": share, "nonce": attempt["nonce"]}
        )
    encoded = answer["encoded_token"]
    encoded += "=" * (-len(encoded) % 4)
    pairs = zip(b64decode(encoded), attempt["otp"].encode(), strict=True)
    return bytes(left ^ right for left, right in pairs).decode()
