"""Reading how Vault is configured, with the operator's narrow login.

Owns what an answer means: a value, nothing there, or not allowed. Reads and lists only; what may be
asked lies in `vaultops.policies`, and what it says is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import hvac
import hvac.exceptions


class NotAllowedError(Exception):
    """The login may not read a path: Vault's operator policy is older than this program."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"Vault denies reading {path} (is its policy strongroom-operator older than this "
            "program? docs/runbooks/drift.md says how to renew it)"
        )


@dataclass(frozen=True)
class Look:
    """The configuration of one Vault, as `client` may see it."""

    client: hvac.Client

    def read(self, path: str) -> Mapping[str, Any] | None:
        """The answer at a path, None when nothing is there. Raises NotAllowedError."""
        return _data(path, lambda: self.client.adapter.get(f"/v1/{path}"))

    def names(self, path: str) -> tuple[str, ...]:
        """The names below a path, in Vault's order. Raises NotAllowedError."""
        found = _data(path, lambda: self.client.adapter.list(f"/v1/{path}")) or {}
        return tuple(found.get("keys") or ())

    def token(self, accessor: str) -> Mapping[str, Any] | None:
        """What is known of a token, None when it has ended. Raises NotAllowedError."""
        path = "auth/token/lookup-accessor"
        try:
            return _data(
                path, lambda: self.client.adapter.post(f"/v1/{path}", json={"accessor": accessor})
            )
        except hvac.exceptions.InvalidRequest:
            return None


def _data(path: str, ask: Callable[[], Any]) -> Mapping[str, Any] | None:
    try:
        answer = ask()
    except hvac.exceptions.InvalidPath:
        return None
    except hvac.exceptions.Forbidden:
        raise NotAllowedError(path) from None
    # What Vault tells everybody, as the progress of generating a root token, is not wrapped.
    data: Mapping[str, Any] = answer.get("data", answer) or {}
    return data
