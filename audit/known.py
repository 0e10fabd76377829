"""What the auditor is told beforehand: decoys, windows in which changes are expected, own networks.

Owns the file's form and its mistakes. Without a file nothing is expected, so every change is found.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic import model_validator as validator

from audit.errors import AuditError


def _whole_octets(network: IPv4Network) -> IPv4Network:
    if network.prefixlen not in (8, 16, 24):
        raise ValueError(
            "only networks of 8, 16 or 24 bits are told apart by their addresses' text"
        )
    return network


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Window(_Told):
    """A time in which something is expected, from anybody or from one subject alone."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    subject: str | None = None

    @validator(mode="after")
    def _in_order(self) -> Window:
        if self.end <= self.start:
            raise ValueError("`to` must be later than `from`")
        return self


class Known(_Told):
    """`canaries` are paths nobody reads for work, or prefixes that end with `*`."""

    canaries: tuple[str, ...] = ()
    deployments: tuple[Window, ...] = ()
    root_windows: tuple[Window, ...] = ()
    networks: tuple[Annotated[IPv4Network, AfterValidator(_whole_octets)], ...] = ()


NOTHING = Known()


def load(path: Path) -> Known:
    """The file's content. Raises AuditError that names every mistake in it."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Known.model_validate(data or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unusable(path, str(error).splitlines()[0]) from None
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
            for each in error.errors()
        )
        raise _unusable(path, mistakes) from None


def at(text: str) -> datetime:
    """A point in time from the command line; UTC unless it says otherwise. Raises AuditError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AuditError(
            "this is no point in time",
            where=text,
            why="it is not written as ISO 8601",
            fix="write 2026-01-31 or 2026-01-31T14:00:00+00:00",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unusable(path: Path, why: str) -> AuditError:
    return AuditError(
        "what is known beforehand cannot be read",
        where=str(path),
        why=why,
        fix="give YAML with canaries, networks, deployments or root_windows (with from and to)",
    )
