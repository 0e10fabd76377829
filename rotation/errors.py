"""What can go wrong in a rotation: one clear error each, with the way out.

Owns the wording's form (what, where, why, what to do) and the exit status of each kind. No message
ever holds a password, a verifier or a credential document.
"""

from __future__ import annotations


class RotationError(Exception):
    """A rotation ended; the published credential is what it was before the named step."""

    exit_status = 1

    def __init__(self, what: str, *, where: str, why: str, fix: str) -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what}\n  where: {where}\n  why: {why}\n  what to do: {fix}")


class DocumentError(RotationError):
    """A credential document is missing, or is not one that a rotation understands."""


class DocumentMissingError(DocumentError):
    """The secret, or this version of it, has no value."""


class UnreachableError(RotationError):
    """No PostgreSQL server answers."""

    exit_status = 3


class LoginError(RotationError):
    """PostgreSQL answered and refused a login."""

    exit_status = 4


class UntrustedError(RotationError):
    """The server speaks no TLS, or its certificate is not one that is trusted for its name."""

    exit_status = 5


class ForeignError(RotationError):
    """A secret, user or server is not the one that this rotation is for; nothing was changed."""

    exit_status = 6


class RightsError(RotationError):
    """The two users have, or would get, different rights."""

    exit_status = 6


class StageError(RotationError):
    """The secret's versions do not allow this step."""

    exit_status = 6


class StatementError(RotationError):
    """PostgreSQL refused a statement."""


class ConfigurationError(RotationError):
    """The rotation itself is set up wrongly, or called by somebody who must not."""

    exit_status = 2
