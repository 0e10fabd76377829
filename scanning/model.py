"""What a scanner saw, and what a person is told. Only the second may be shown.

Owns the two shapes and how a secret is written so that it is recognised and not given away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SHOWN = 4  # characters; what tells the kinds apart (hvs., ghp_, AKIA) is no longer
_SHOWN_SHARE = 6  # at most a sixth of the secret is shown


class Scanner(StrEnum):
    """Who looks, in the order in which a secret's name is taken when several saw it.

    The one that is left out most comes last, so that names stay when it is.
    """

    STRONGROOM = "strongroom"
    GITLEAKS = "gitleaks"
    DETECT_SECRETS = "detect-secrets"
    TRUFFLEHOG = "trufflehog"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One scanner's word on one place: `line` counts from 1, `file` is the snapshot's number."""

    scanner: Scanner
    rule: str
    file: int
    line: int
    secret: str = field(repr=False)

    @property
    def name(self) -> str:
        """The rule with its scanner, as reports and the baseline write it."""
        return f"{self.scanner}/{self.rule}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One secret in one file, whoever saw it, wherever in the file.

    `marks` are the (rule, hash) pairs under which a reviewer may have accepted it; the first is
    the finding's own. `commit` is the first that brought it, where the history was scanned.
    `reason` is the reviewer's, when it is accepted.
    """

    path: str
    lines: tuple[int, ...]
    redacted: str
    marks: tuple[tuple[str, str], ...]
    commit: str | None = None
    reason: str | None = None

    @property
    def rule(self) -> str:
        """The name of the rule that comes first."""
        return self.marks[0][0]

    @property
    def hash(self) -> str:
        """The salted hash of the value, in hex."""
        return self.marks[0][1]


def redact(secret: str) -> str:
    """The first characters and the length: enough to know which one it is, too little to use."""
    text = " ".join(secret.split())
    shown = min(SHOWN, len(text) // _SHOWN_SHARE)
    return f"{text[:shown]}… ({len(secret)} characters)"
