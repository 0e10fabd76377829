"""What can go wrong in operating Vault: one clear error each, with the way out.

Owns the wording's form (what, where, why, what to do) and the exit status of each kind. No message
ever holds a token, a share or a key.
"""

from __future__ import annotations


class VaultOpsError(Exception):
    """An operation ended; nothing after the named step was changed."""

    exit_status = 1

    def __init__(self, what: str, *, where: str, why: str, fix: str) -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what}\n  where: {where}\n  why: {why}\n  what to do: {fix}")


class UnreachableError(VaultOpsError):
    """No server answers: no cluster, no pod, or no route."""

    exit_status = 3


class DeniedError(VaultOpsError):
    """Vault answered and refused the credential or the request."""

    exit_status = 4


class UntrustedError(VaultOpsError):
    """The server's certificate is not one that our CA issued for this address, or has expired."""

    exit_status = 5


class DoubtError(VaultOpsError):
    """The cluster's condition makes the next step unsafe; stopped before it."""

    exit_status = 6


class WaitedTooLongError(VaultOpsError):
    """A condition did not come true before its deadline."""

    exit_status = 7
