"""Whether a grant's lifetimes fit together: token, leases, and how the workload renews them.

Owns the arithmetic, before anything is deployed. The traps are Vault's: a lease ends with the token
that asked for it, a token is renewed up to its longest life and no further, and whoever does not
renew holds what it got for the first period only. All times are seconds.
Sources: Vault documentation, "Lease, Renew, and Revoke", "Tokens" and "AWS secrets engine".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from access.grant import Grant

SYSTEM_MAX_TTL = 32 * 24 * 3600  # Vault's default for every mount
STS_SHORTEST = 900  # AWS refuses to issue session credentials for less
STS_LONGEST = 12 * 3600


class Renewal(StrEnum):
    """Who keeps a workload's credentials alive."""

    AGENT = "agent"  # renews token and leases, logs in anew at their end, and fetches new ones
    REFRESH = "refresh"  # External Secrets or CSI: fetches anew at an interval, renews nothing
    ONCE = "once"  # an init container or the program itself: reads at the start, and never again


@dataclass(frozen=True, kw_only=True)
class Token:
    """The token of a grant's role: its first period and its longest life."""

    grant: str
    ttl: int
    max_ttl: int

    @classmethod
    def of(cls, grant: Grant) -> Token:
        """The token that a grant's role hands out."""
        return cls(grant=grant.name, ttl=grant.token_ttl_seconds, max_ttl=grant.ttl_seconds)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What a role of an engine issues, under its path (`database/creds/ml-readonly`).

    `is_session` marks AWS session credentials: neither renewable nor revocable.
    """

    path: str
    ttl: int
    max_ttl: int
    is_session: bool = False


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a workload gets its credentials.

    `every` is the refresh interval of REFRESH, `needed` how long a ONCE workload runs on them.
    """

    name: str
    renewal: Renewal
    every: int = 0
    needed: int = 0


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Lifetimes that do not fit: where, what is wrong, what happens then, what to do."""

    where: str
    what: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}: {self.why}. {self.fix}."


def mismatches(
    token: Token,
    leases: Iterable[Lease],
    deliveries: Iterable[Delivery],
    *,
    system_max_ttl: int = SYSTEM_MAX_TTL,
) -> tuple[Mismatch, ...]:
    """Everything that does not fit; nothing when the grant will behave as it reads."""
    leases, deliveries = tuple(leases), tuple(deliveries)
    found = [*_token(token, system_max_ttl)]
    for lease in leases:
        found += _lease(token, lease, system_max_ttl)
        for delivery in deliveries:
            found += _delivery(token, lease, delivery)
    return tuple(found)


def shown(length: int) -> str:
    """Seconds as people write them: `1h30m`."""
    hours, rest = divmod(length, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def _token(token: Token, system_max: int) -> Iterator[Mismatch]:
    where = f"grant {token.grant}:"
    if token.ttl > token.max_ttl:
        yield Mismatch(
            where=where,
            what=f"its token's first period is {shown(token.ttl)}, its longest life "
            f"{shown(token.max_ttl)}",
            why="Vault cuts the period silently",
            fix=f"Set the period to {shown(token.max_ttl)} or less",
        )
    if token.max_ttl > system_max:
        yield Mismatch(
            where=where,
            what=f"its token is to live {shown(token.max_ttl)}, Vault's mounts allow "
            f"{shown(system_max)}",
            why="Vault cuts it silently",
            fix=f"Grant {shown(system_max)} or less",
        )


def _lease(token: Token, lease: Lease, system_max: int) -> Iterator[Mismatch]:
    where = f"{lease.path} (grant {token.grant}):"
    if lease.is_session:
        if not STS_SHORTEST <= lease.ttl <= STS_LONGEST:
            yield Mismatch(
                where=where,
                what=f"its session credentials are to live {shown(lease.ttl)}",
                why="AWS issues them for 15m to 12h and refuses anything else",
                fix=f"Set a ttl between {shown(STS_SHORTEST)} and {shown(STS_LONGEST)}",
            )
        if lease.ttl > token.max_ttl:
            yield Mismatch(
                where=where,
                what=f"its session credentials live {shown(lease.ttl)}, the grant "
                f"{shown(token.max_ttl)}",
                why="nobody can revoke them, so they outlive the grant",
                fix=f"Set the role's ttl to {shown(token.max_ttl)} or less",
            )
        return
    if lease.ttl > lease.max_ttl:
        yield Mismatch(
            where=where,
            what=f"its ttl is {shown(lease.ttl)}, its longest life {shown(lease.max_ttl)}",
            why="Vault cuts the ttl silently",
            fix=f"Set the role's ttl to {shown(lease.max_ttl)} or less",
        )
    if lease.max_ttl > system_max:
        yield Mismatch(
            where=where,
            what=f"its longest life is {shown(lease.max_ttl)}, Vault's mounts allow "
            f"{shown(system_max)}",
            why="Vault cuts it silently",
            fix=f"Set the role's max_ttl to {shown(system_max)} or less",
        )
    if lease.ttl > token.max_ttl:
        yield Mismatch(
            where=where,
            what=f"its credentials are issued for {shown(lease.ttl)}, but the token that asks for "
            f"them ends after {shown(token.max_ttl)} at the latest",
            why="Vault revokes them with the token, in the middle of their life",
            fix=f"Set the role's ttl to {shown(token.max_ttl)} or less, or the grant's ttl to "
            f"{shown(lease.ttl)} or more",
        )


def _delivery(token: Token, lease: Lease, delivery: Delivery) -> Iterator[Mismatch]:
    where = f"{delivery.name} with {lease.path} (grant {token.grant}):"
    # Without renewal the token ends after its first period and takes the lease along; session
    # credentials do not end with it.
    life = lease.ttl if lease.is_session else min(lease.ttl, token.ttl)
    if delivery.renewal is Renewal.REFRESH and delivery.every > life // 2:
        late = delivery.every >= life
        yield Mismatch(
            where=where,
            what=f"it refreshes every {shown(delivery.every)}, and what it fetched lives "
            f"{shown(life)} because nothing renews it",
            why="pods hold dead credentials until the next refresh"
            if late
            else "one failed refresh leaves pods with dead credentials",
            fix=f"Refresh every {shown(life // 2)} or more often, or lengthen what is shorter "
            f"of the role's ttl ({shown(lease.ttl)}) and the token's ({shown(token.ttl)})",
        )
    if delivery.renewal is Renewal.ONCE and delivery.needed > life:
        yield Mismatch(
            where=where,
            what=f"it needs its credentials for {shown(delivery.needed)} and reads them once; they "
            f"live {shown(life)} because nothing renews them",
            why="the workload loses access before it ends",
            fix="Let the agent deliver them, which renews, or shorten the workload",
        )
    longest = lease.ttl if lease.is_session else min(lease.max_ttl, token.max_ttl)
    if delivery.renewal is Renewal.AGENT and delivery.needed > longest:
        yield Mismatch(
            where=where,
            what=f"it needs one credential for {shown(delivery.needed)}, and the longest life is "
            f"{shown(longest)}",
            why="the agent then fetches a new one, which a program that reads only at its start "
            "does not see",
            fix=f"Let the program read the file again, or let it run {shown(longest)} at most",
        )
