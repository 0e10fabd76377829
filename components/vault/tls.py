"""Vault's names on the network, and the Kubernetes objects that carry its certificate.

Owns the one list of names that joining servers and clients dial: the certificate's names and
`retry_join` both come from here, so neither can name a host that the other forgot. Three sources of
a certificate: a CA of this stack's own, cert-manager, or a Secret made elsewhere. TLS has no "off".
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.vault.certificate import ServerCertificate, ServerCertificateArgs
from components.vault.x509 import Names

API_PORT = 8200
TLS_SECRET = "vault-server-tls"  # noqa: S105 -- the name of a Secret, not its content
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
WAIT_READY = {"pulumi.com/waitFor": "condition=Ready"}


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


@dataclass(frozen=True, kw_only=True)
class Tls:
    """What a server needs to know of its certificate. `made` are the resources to wait for."""

    secret_name: str
    ca_pem: pulumi.Output[str]
    made: tuple[pulumi.Resource, ...]


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


def certify(
    name: str,
    source: CertificateSource,
    *,
    names: Names,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Tls:
    """Make the certificate's Secret and the CA's ConfigMap in `namespace`."""
    made: list[pulumi.Resource] = []
    match source:
        case OwnCa():
            certificate = ServerCertificate(
                f"{name}-certificate",
                ServerCertificateArgs(
                    common_name="Strongroom Vault",
                    dns_names=sorted(names.dns),
                    addresses=sorted(names.addresses),
                    validity=source.validity,
                    renew_before=source.renew_before,
                ),
                pulumi.ResourceOptions(parent=parent),
            )
            ca_pem = certificate.bundle_pem
            made.append(_secret(name, certificate, namespace, parent))
            secret_name = TLS_SECRET
        case CertManager():
            ca_pem = pulumi.Output.from_input(source.ca_pem)
            made.append(_cert_manager_certificate(name, source, names, namespace, parent))
            secret_name = TLS_SECRET
        case GivenSecret():
            ca_pem = pulumi.Output.from_input(source.ca_pem)
            secret_name = source.secret_name
    made.append(
        k8s.core.v1.ConfigMap(
            f"{name}-ca",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=CA_CONFIG_MAP, namespace=namespace, labels=standard_labels("vault-tls")
            ),
            data={CA_KEY: ca_pem},
            opts=pulumi.ResourceOptions(parent=parent),
        )
    )
    return Tls(secret_name=secret_name, ca_pem=ca_pem, made=tuple(made))


def _secret(
    name: str,
    certificate: ServerCertificate,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> k8s.core.v1.Secret:
    return k8s.core.v1.Secret(
        f"{name}-tls",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=TLS_SECRET, namespace=namespace, labels=standard_labels("vault-tls")
        ),
        type="kubernetes.io/tls",
        string_data={
            "tls.crt": certificate.server_pem,
            "tls.key": certificate.server_key,
            CA_KEY: certificate.bundle_pem,
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _cert_manager_certificate(
    name: str,
    source: CertManager,
    names: Names,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> k8s.apiextensions.CustomResource:
    return k8s.apiextensions.CustomResource(
        f"{name}-tls",
        api_version="cert-manager.io/v1",
        kind="Certificate",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=TLS_SECRET,
            namespace=namespace,
            labels=standard_labels("vault-tls"),
            annotations=WAIT_READY,
        ),
        spec={
            "secretName": TLS_SECRET,
            "dnsNames": sorted(names.dns),
            "ipAddresses": sorted(names.addresses),
            "duration": f"{int(source.validity.total_seconds())}s",
            "renewBefore": f"{int(source.renew_before.total_seconds())}s",
            "usages": ["server auth", "digital signature"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {"kind": "ClusterIssuer", "name": source.issuer},
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _address(host: str) -> str | None:
    """`host` as a certificate writes it, if it is an address."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
