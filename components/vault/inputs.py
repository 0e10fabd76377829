"""Checks that the engines and the auth methods share, each with its reason and the way out.

Owns the wording of a refusal: input, value, consequence, remedy. Knows no engine and makes nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

HOUR = 3600
DAY = 24 * HOUR


def refuse(name: str, value: object, consequence: str, remedy: str) -> ValueError:
    """The error of a bad input. Never pass a secret as `value`."""
    return ValueError(f"{name}: {value!r} {consequence}. {remedy}.")


def mount_path(name: str, value: str) -> None:
    """Refuse what is no name of a mount. Raises ValueError."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*", value):
        raise refuse(
            name,
            value,
            "is no mount path; policies written for it would match nothing",
            "Use lower-case letters, digits and dashes, without slashes at the ends",
        )


def role_names(name: str, values: Sequence[str]) -> None:
    """Refuse names that Vault would not take, and any that occurs twice. Raises ValueError."""
    for value in values:
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", value):
            raise refuse(
                name,
                value,
                "is no name of a role; a policy could not name it exactly",
                "Use letters, digits, dots, dashes and underscores",
            )
        if values.count(value) > 1:
            raise refuse(
                name,
                value,
                "is given twice; the later would overwrite the earlier",
                "Name each once",
            )


def exact(name: str, values: Iterable[str], *, example: str) -> None:
    """Refuse an empty list and every pattern: access goes to what is named. Raises ValueError."""
    given = list(values)
    if not given:
        raise refuse(name, given, "binds nobody, or everybody", f"Name each, for example {example}")
    for value in given:
        if not value.strip() or set(value) & set("*+?"):
            raise refuse(
                name,
                value,
                "is empty or a pattern; it admits what nobody has thought of",
                f"Name each in full, for example {example}",
            )


def policies(name: str, values: Sequence[str]) -> None:
    """Refuse logins that get nothing, or everything. Raises ValueError."""
    exact(name, values, example="ml-app")
    if "root" in values:
        raise refuse(
            name,
            "root",
            "may do everything, and policies that deny do not bind it",
            "Name a narrow policy",
        )


def lifetime(name: str, ttl: int, max_ttl: int, *, limit: int) -> None:
    """Refuse lives in seconds that are out of order or above `limit`. Raises ValueError."""
    if not 0 < ttl <= max_ttl <= limit:
        raise refuse(
            name,
            (ttl, max_ttl),
            "is no ordered pair of seconds within the limit; what leaks would live too long",
            f"Keep 0 < ttl <= max_ttl <= {limit}",
        )


def networks(name: str, values: Sequence[str]) -> None:
    """Refuse networks that are none, and the one that is all of them. Raises ValueError."""
    if not values:
        raise refuse(
            name, values, "lets a stolen credential be used from anywhere", "Name networks"
        )
    for value in values:
        try:
            network = ipaddress.ip_network(value)
        except ValueError as reason:
            raise refuse(name, value, f"is no network ({reason})", "Write 10.0.0.0/16") from None
        if network.prefixlen == 0:
            raise refuse(name, value, "is every address there is", "Name the networks in use")


def https(name: str, value: str) -> None:
    """Refuse an address that is not https, or holds credentials. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        shown = f"{parts.scheme}://{parts.hostname}"
        raise refuse(
            name,
            shown,
            "is no plain https address; who listens could answer in its place",
            "Use https://host, without a user name",
        )


def version(name: str, value: int) -> None:
    """Refuse a version below 1: Vault's provider sends a write-only value when it changes."""
    if value < 1:
        raise refuse(
            name, value, "would never send the value to Vault", "Start at 1, add 1 per change"
        )


@dataclass(frozen=True, kw_only=True)
class TokenLife:
    """How long a login lasts, in seconds: `ttl` until renewal, `max_ttl` in all (at most a day)."""

    ttl: int = HOUR
    max_ttl: int = 8 * HOUR

    def __post_init__(self) -> None:
        lifetime("token life", self.ttl, self.max_ttl, limit=DAY)
