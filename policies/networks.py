"""When networks are so wide that they bind nobody to a place.

Owns the limit. A network that is too wide can be written as several that are not, so those that
touch each other are taken together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

Network = IPv4Network | IPv6Network

SHORTEST = {4: 8, 6: 16}
"""Shortest prefix by the version of IP: 10.0.0.0/8 is still one organisation's own network."""
_MAPPED = IPv6Network("::ffff:0:0/96")


def network(text: str) -> Network:
    """The network of a text in CIDR form; an address is a network of one. Raises ValueError."""
    read = ip_network(text, strict=False)
    if isinstance(read, IPv6Network) and read.subnet_of(_MAPPED):
        # Vault, as every program in Go, takes these for the IPv4 networks that they stand for.
        return IPv4Network((int(read.network_address) & 0xFFFFFFFF, read.prefixlen - 96))
    return read


def is_wide(network: Network) -> bool:
    """Whether it holds more addresses than one organisation would have."""
    return network.prefixlen < SHORTEST[network.version]


def wide_together(networks: Iterable[Network]) -> Iterator[Network]:
    """The networks that are too wide once those that touch each other are joined."""
    listed = list(networks)
    yield from filter(is_wide, collapse_addresses(n for n in listed if n.version == 4))
    yield from filter(is_wide, collapse_addresses(n for n in listed if n.version == 6))
