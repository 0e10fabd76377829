"""What ends a scan before it has an answer. No message holds a secret."""

from __future__ import annotations


class ScanError(Exception):
    """The scan could not be done; nothing can be said about the files."""

    def __init__(self, what: str, *, where: str, why: str, fix: str) -> None:
        self.what, self.where, self.why, self.fix = what, where, why, fix
        super().__init__(f"{what}\n  where: {where}\n  why: {why}\n  what to do: {fix}")
