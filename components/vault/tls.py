"""Vault's names on the network, its webhook's, and who vouches for them.

Owns the one list of names that joining servers and clients dial: the certificate's names and
`retry_join` both come from here, so neither can name a host that the other forgot. Three sources of
a certificate: a CA of this stack's own, cert-manager, or a Secret made elsewhere. TLS has no "off".
The Kubernetes objects are certificate_secret.py's.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta

import pulumi

from components.vault.x509 import Names

API_PORT = 8200
CA_CONFIG_MAP = "vault-ca"
CA_KEY = "ca.crt"
CLUSTER_DOMAIN = "cluster.local"
LOOPBACK_NAMES = ("localhost",)
LOOPBACK_ADDRESSES = ("127.0.0.1",)
SERVICES = ("", "-internal", "-active", "-standby", "-ui")
DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class OwnCa:
    """A CA of this stack's own; its key is an encrypted secret of the state."""

    validity: timedelta = timedelta(days=90)
    renew_before: timedelta = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class CertManager:
    """cert-manager's ClusterIssuer `issuer` signs; `ca_pem` is its CA, which clients trust."""

    issuer: str
    ca_pem: pulumi.Input[str]
    validity: timedelta = timedelta(days=90)
    renew_before: timedelta = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class GivenSecret:
    """A kubernetes.io/tls Secret that exists already; `ca_pem` is the CA that signed it."""

    secret_name: str
    ca_pem: pulumi.Input[str]


CertificateSource = OwnCa | CertManager | GivenSecret


def peer_hosts(release: str, replicas: int) -> tuple[str, ...]:
    """The host by which each server is joined, in order."""
    return tuple(f"{release}-{ordinal}.{release}-internal" for ordinal in range(replicas))


def peer_addresses(release: str, replicas: int) -> tuple[str, ...]:
    """The API address of each server, in order: what `retry_join` dials."""
    return tuple(f"https://{host}:{API_PORT}" for host in peer_hosts(release, replicas))


def server_sans(
    release: str,
    namespace: str,
    replicas: int,
    cluster_domain: str = CLUSTER_DOMAIN,
    client_hosts: tuple[str, ...] = (),
) -> Names:
    """Every name and address by which a server is dialled, and none besides.

    `client_hosts` are those outside the cluster: DNS names or addresses. Raises ValueError for
    what is neither, and for a wildcard.
    """
    suffixes = ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.{cluster_domain}")
    hosts = (*peer_hosts(release, replicas), *(f"{release}{service}" for service in SERVICES))
    addresses = {host: _address(host) for host in client_hosts}
    if wrong := [host for host, a in addresses.items() if not (a or DNS_NAME.fullmatch(host))]:
        raise ValueError(
            f"client_hosts: {', '.join(map(repr, wrong))} is neither a DNS name nor an address, or "
            "holds a wildcard; no client could verify Vault by it, or by far too many names. Write "
            "a host as clients dial it, such as vault.example.com, without scheme and port."
        )
    return Names(
        dns=frozenset(
            [
                *(f"{host}{suffix}" for host in hosts for suffix in suffixes),
                *LOOPBACK_NAMES,
                *(host for host, address in addresses.items() if not address),
            ]
        ),
        addresses=frozenset(
            [*LOOPBACK_ADDRESSES, *(address for address in addresses.values() if address)]
        ),
    )


def webhook_sans(release: str, namespace: str) -> Names:
    """Every name of the agent injector's Service; the API server dials the last."""
    service = f"{release}-agent-injector-svc"
    return Names(dns=frozenset(f"{service}{s}" for s in ("", f".{namespace}", f".{namespace}.svc")))


def _address(host: str) -> str | None:
    """`host` as a certificate writes it, if it is an address."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
