"""How reading audit logs fails: what, where, why, and what to do."""

from __future__ import annotations


class AuditError(Exception):
    """A log, a store or a question that cannot be worked with; nothing was changed by it.

    No message holds a line of a log, which may hold what nobody should see.
    """

    def __init__(self, what: str, *, where: str, why: str, fix: str) -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what}\n  where: {where}\n  why: {why}\n  what to do: {fix}")
