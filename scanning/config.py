"""`secret-scan.yaml`: the repository's one configuration and one baseline, for all scanners.

Owns the file's schema and its messages. An accepted entry has no line number, so that a merge does
not break it, and no meaning without a reviewer's reason.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from scanning.errors import ScanError
from scanning.fingerprint import SALT_BYTES, new_salt

FILE = "secret-scan.yaml"
MIB = 2**20

Reason = Annotated[str, Field(min_length=12, description="why this is no secret, or no longer one")]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, str_strip_whitespace=True
    )


class Exclusion(_Part):
    """Files that no scanner reads; `path` is a pattern in which `**` crosses folders."""

    path: str
    reason: Reason


class Accepted(_Part):
    """A finding that a reviewer looked at: this rule, this value, in this file."""

    path: str
    rule: str
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{20}$")]
    reason: Reason

    @property
    def key(self) -> tuple[str, str, str]:
        """What a finding must equal to be accepted."""
        return self.path, self.rule, self.hash


class Config(_Part):
    """The whole file. `max_megabytes` is the largest file that is read, in MiB."""

    salt: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * SALT_BYTES}}}$")] = Field(
        default_factory=lambda: new_salt().hex()
    )
    max_megabytes: Annotated[int, Field(ge=1, le=512)] = 10
    exclude: tuple[Exclusion, ...] = ()
    accepted: tuple[Accepted, ...] = ()

    @property
    def max_bytes(self) -> int:
        """The largest file that is read, in bytes."""
        return self.max_megabytes * MIB

    @property
    def reasons(self) -> dict[tuple[str, str, str], str]:
        """Reason by what was accepted."""
        return {entry.key: entry.reason for entry in self.accepted}

    def excludes(self, path: str) -> bool:
        """Whether no scanner shall read the file at `path`, relative to the repository."""
        return any(_pattern(one.path).fullmatch(path) for one in self.exclude)


def load(path: Path, *, required: bool = False) -> Config:
    """The configuration in `path`, or an empty one with a new salt when there is no such file.

    Raises ScanError when it is missing though required, cannot be read, or has a fault; all faults
    are told at once.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        if not required:
            return Config()
        raise _error(path, "there is no such file", "correct --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _error(path, str(error), "make it a readable text file") from None
    except yaml.YAMLError as error:
        raise _error(path, " ".join(str(error).split()), "correct the YAML") from None
    try:
        return Config.model_validate(data or {})
    except ValidationError as error:
        faults = "; ".join(_fault(one) for one in error.errors(include_input=False))
        raise _error(path, faults, "correct the entries named above") from None


def _fault(fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "the file"
    return f"{place}: {fault['msg']}"


def _error(path: Path, why: str, fix: str) -> ScanError:
    return ScanError("the scan's configuration cannot be used", where=str(path), why=why, fix=fix)


def _pattern(glob: str) -> re.Pattern[str]:
    """`**/` is any number of folders, `**` anything, `*` and `?` stay within one name."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))
