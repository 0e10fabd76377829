"""The Kubernetes objects that carry certificates: of Vault's servers, and of its webhook.

Owns a kubernetes.io/tls Secret for each, and the ConfigMap with the CA that Vault's clients trust.
Which names a certificate holds is tls.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels
from components.vault.certificate import ServerCertificate, ServerCertificateArgs
from components.vault.tls import (
    CA_CONFIG_MAP,
    CA_KEY,
    CertificateSource,
    CertManager,
    GivenSecret,
    OwnCa,
)
from components.vault.x509 import Names

SERVER_SECRET = "vault-server-tls"  # noqa: S105 -- the name of a Secret, not its content
WEBHOOK_SECRET = "vault-agent-injector-tls"  # noqa: S105 -- likewise
LABELS = standard_labels("vault-tls")
WAIT_READY = {"pulumi.com/waitFor": "condition=Ready"}


@dataclass(frozen=True, kw_only=True)
class Tls:
    """What a server needs to know of its certificate. `made` are the resources to wait for."""

    secret_name: str
    ca_pem: pulumi.Output[str]
    made: tuple[pulumi.Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Served:
    """Whom a certificate speaks for, and the Secret it is served from."""

    common_name: str
    names: Names
    secret_name: str


def certify(
    name: str,
    source: CertificateSource,
    *,
    names: Names,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Tls:
    """Make the Secret of Vault's servers and their CA's ConfigMap in `namespace`."""
    if isinstance(source, GivenSecret):
        ca_pem = pulumi.Output.from_input(source.ca_pem)
        tls = Tls(secret_name=source.secret_name, ca_pem=ca_pem)
    else:
        served = _Served(common_name="Strongroom Vault", names=names, secret_name=SERVER_SECRET)
        tls = _issue(name, source, served, namespace, parent)
    authority = k8s.core.v1.ConfigMap(
        f"{name}-ca",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=CA_CONFIG_MAP, namespace=namespace, labels=LABELS),
        data={CA_KEY: tls.ca_pem},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return replace(tls, made=(*tls.made, authority))


def certify_webhook(
    name: str,
    source: CertificateSource,
    *,
    names: Names,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Tls:
    """Make the Secret of the agent injector's webhook, which nobody but the API server dials.

    A Secret made elsewhere speaks for Vault only; beside it a CA of this stack's own signs, which
    the webhook's configuration is the only one to trust.
    """
    signer = OwnCa() if isinstance(source, GivenSecret) else source
    served = _Served(
        common_name="Strongroom Vault agent injector",
        names=names,
        secret_name=WEBHOOK_SECRET,
    )
    return _issue(f"{name}-webhook", signer, served, namespace, parent)


def _issue(
    name: str,
    source: OwnCa | CertManager,
    served: _Served,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> Tls:
    if isinstance(source, CertManager):
        return Tls(
            secret_name=served.secret_name,
            ca_pem=pulumi.Output.from_input(source.ca_pem),
            made=(_cert_manager_certificate(name, source, served, namespace, parent),),
        )
    certificate = ServerCertificate(
        f"{name}-certificate",
        ServerCertificateArgs(
            common_name=served.common_name,
            dns_names=sorted(served.names.dns),
            addresses=sorted(served.names.addresses),
            validity=source.validity,
            renew_before=source.renew_before,
        ),
        pulumi.ResourceOptions(parent=parent),
    )
    return Tls(
        secret_name=served.secret_name,
        ca_pem=certificate.bundle_pem,
        made=(_secret(name, certificate, served.secret_name, namespace, parent),),
    )


def _secret(
    name: str,
    certificate: ServerCertificate,
    secret_name: str,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> k8s.core.v1.Secret:
    return k8s.core.v1.Secret(
        f"{name}-tls",
        metadata=k8s.meta.v1.ObjectMetaArgs(name=secret_name, namespace=namespace, labels=LABELS),
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
    served: _Served,
    namespace: pulumi.Input[str],
    parent: pulumi.Resource,
) -> k8s.apiextensions.CustomResource:
    return k8s.apiextensions.CustomResource(
        f"{name}-tls",
        api_version="cert-manager.io/v1",
        kind="Certificate",
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=served.secret_name, namespace=namespace, labels=LABELS, annotations=WAIT_READY
        ),
        spec={
            "secretName": served.secret_name,
            "dnsNames": sorted(served.names.dns),
            "ipAddresses": sorted(served.names.addresses),
            "duration": f"{int(source.validity.total_seconds())}s",
            "renewBefore": f"{int(source.renew_before.total_seconds())}s",
            "usages": ["server auth", "digital signature"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {"kind": "ClusterIssuer", "name": source.issuer},
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
