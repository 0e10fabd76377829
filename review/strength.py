"""How strong a guard is: settings measured by what they keep from happening.

Owns which of two values is the stronger one. `review.guards` lists what is measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from policies.rule import Environment, Level, Requirement
from settings import Settings
from settings.kubernetes import Endpoint, PodSecurity
from settings.seal import AwsCustodian, AwsKmsSeal, CustodianType, SealType
from settings.snapshots import Destination


@dataclass(frozen=True, order=True, kw_only=True)
class Strength:
    """How strong a guard is: the greater `rank` is the stronger; `said` is for people."""

    rank: float
    said: str


def on(*, said: tuple[str, str] = ("no", "yes"), value: bool) -> Strength:
    """A guard that is there or not; `said` names both cases, the weaker first."""
    return Strength(rank=value, said=said[value])


def more(value: float, said: object = None) -> Strength:
    """The more, the stronger."""
    return Strength(rank=value, said=str(value if said is None else said))


def less(value: float, said: object = None) -> Strength:
    """The less, the stronger."""
    return Strength(rank=-value, said=str(value if said is None else said))


def place(order: Iterable[str], value: str) -> Strength:
    """The rank of a choice in `order`, weakest first."""
    return Strength(rank=[*order].index(value), said=str(value))


def seal(settings: Settings) -> Strength:
    """Shares that people enter are the weaker seal; the services are equals."""
    kind = settings.vault.seal.type
    return Strength(rank=kind is not SealType.SHAMIR, said=kind.value)


def seal_key(settings: Settings) -> Strength:
    """How long a deleted unseal key can be called back, in days."""
    chosen = settings.vault.seal
    if isinstance(chosen, AwsKmsSeal) and chosen.create_key:
        return more(chosen.deletion_window, f"{chosen.deletion_window} days")
    return Strength(rank=30, said="a key that this stack cannot delete")


def custodian(settings: Settings) -> Strength:
    """In clear, under a key that others share, or only for its holders."""
    chosen = settings.vault.custodian
    kind = chosen.type.value
    if chosen.type is CustodianType.FILE:
        return Strength(rank=0, said=f"{kind}, in clear")
    if isinstance(chosen, AwsCustodian) and not chosen.kms_key:
        return Strength(rank=1, said=f"{kind}, under the account's shared key")
    return Strength(rank=2, said=kind)


def snapshots(settings: Settings) -> Strength:
    """None, inside the cluster, or outside it."""
    kept = settings.vault.snapshots
    if not kept.enabled:
        return Strength(rank=0, said="none")
    outside = kept.destination is not Destination.VOLUME
    said = f"{kept.destination}, {'outside' if outside else 'inside'} the cluster"
    return Strength(rank=1 + outside, said=said)


def key_backup(settings: Settings) -> Strength:
    """Whether anybody could open a backup of the sealing keys."""
    backup = settings.sealed_secrets.backup
    return on(value=bool(backup.age or backup.aws_kms or backup.gcp_kms))


def longest(lives: Iterable[int]) -> Strength:
    """The longest of some lives in seconds; the longer it is, the weaker the guard."""
    seconds = max(lives, default=0)
    return less(seconds, f"{seconds} seconds" if seconds else "none")


def reach(*endpoints: Endpoint | None) -> Strength:
    """How many addresses network policies let through to some destinations."""
    return addresses(cidr for endpoint in endpoints if endpoint for cidr in endpoint.cidrs)


def addresses(cidrs: Iterable[str]) -> Strength:
    """How many addresses some networks have, each counted once."""
    given = [*cidrs]
    old = collapse_addresses(IPv4Network(cidr) for cidr in given if ":" not in cidr)
    new = collapse_addresses(IPv6Network(cidr) for cidr in given if ":" in cidr)
    count = sum(n.num_addresses for n in old) + sum(n.num_addresses for n in new)
    plural = "" if count == 1 else "es"
    return less(count, f"{count:,} address{plural}" if count else "none")


def pod_security(name: str, settings: Settings) -> Strength:
    """The Pod Security level of a namespace that the settings have."""
    level = next(n.pod_security for n in settings.namespaces if n.name == name)
    return place(reversed(PodSecurity), level)


def enforcement(rule: Requirement, settings: Settings) -> Strength:
    """Whether a policy stops deployments of the settings' environment."""
    return place(Level, rule.levels[Environment(settings.environment)])
