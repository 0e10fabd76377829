"""Certificates as values: a CA, a server certificate under it, and when either is due.

Owns keys, extensions and validity. Knows neither Pulumi nor Kubernetes, reads no clock and keeps
nothing: every function takes the time it shall work with. Which certificate is replaced when is
decided by certificate_lineage.py.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, both PEM. The key is a secret and never printed."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return f"Issued(serial={serial(self.certificate)})"


@dataclass(frozen=True)
class Names:
    """What a server certificate vouches for. Their order means nothing."""

    dns: frozenset[str]
    addresses: frozenset[str] = frozenset()

    def covers(self, host: str) -> bool:
        """Whether a client that dialled `host` accepts the certificate. No wildcards are issued."""
        return host in self.dns or host in self.addresses


def issue_authority(common_name: str, validity: timedelta, now: datetime) -> Issued:
    """A new self-signed CA that may sign servers only (path length 0)."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        _builder(name, name, key.public_key(), now, now + validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA384())
    )
    return _issued(certificate, key)


def issue_server(
    authority: Issued, common_name: str, names: Names, validity: timedelta, now: datetime
) -> Issued:
    """A new key and a certificate for it, signed by `authority`, which it never outlives."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = _load(authority.certificate)
    signing_key = serialization.load_pem_private_key(authority.key.encode(), password=None)
    if not isinstance(signing_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the CA's key is not an elliptic-curve key; it was not made here")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    end = min(now + validity, signer.not_valid_after_utc)
    certificate = (
        _builder(subject, signer.subject, key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()),
            critical=False,
        )
        .sign(signing_key, hashes.SHA384())
    )
    return _issued(certificate, key)


def names_of(certificate: str) -> Names:
    """The names in a certificate."""
    extension = _load(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return Names(
        dns=frozenset(extension.value.get_values_for_type(x509.DNSName)),
        addresses=frozenset(str(a) for a in extension.value.get_values_for_type(x509.IPAddress)),
    )


def starts(certificate: str) -> datetime:
    """When the certificate was issued (UTC)."""
    return _load(certificate).not_valid_before_utc + CLOCK_SKEW


def ends(certificate: str) -> datetime:
    """When the certificate expires (UTC)."""
    return _load(certificate).not_valid_after_utc


def serial(certificate: str) -> str:
    """The serial number in hexadecimal."""
    return f"{_load(certificate).serial_number:x}"


def is_signed_by(certificate: str, authority: str) -> bool:
    """Whether `authority` (PEM) issued `certificate`."""
    try:
        _load(certificate).verify_directly_issued_by(_load(authority))
    except Exception as error:  # noqa: BLE001 -- each way of not matching has its own exception
        return not error
    return True


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_names(names: Names) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in sorted(names.dns)),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(names.addresses)),
    ]


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    return Issued(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def _load(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())
