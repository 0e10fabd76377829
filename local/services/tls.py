"""A small authority for the local services' own certificates. Not the platform's PKI.

The authority's key never leaves the folder; its certificate is what clients trust.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.services.host import write_private

_AUTHORITY_VALIDITY = datetime.timedelta(days=3650)
_SERVER_VALIDITY = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)


def authority(folder: Path, name: str) -> Path:
    """Make `ca.crt` (0644) and `ca.key` (0600) in `folder` once; returns the certificate's path."""
    certificate, key_file = folder / "ca.crt", folder / "ca.key"
    if not (certificate.exists() and key_file.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        issued = (
            _builder(_named(name), _named(name), key.public_key(), _AUTHORITY_VALIDITY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        write_private(key_file, _pem(key))
        write_private(certificate, issued.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def server(
    folder: Path, current: Path, common_name: str, addresses: Sequence[str]
) -> Issued | None:
    """A fresh server certificate from `folder`'s authority, or None while `current` is good.

    Good means: issued by this authority, for just these addresses, valid for another 30 days.
    """
    ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    names = x509.SubjectAlternativeName([_name(address) for address in addresses])
    if _is_good(current, ca, names):
        return None
    ca_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / 'ca.key'}: not an elliptic curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    issued = (
        _builder(_named(common_name), ca.subject, key.public_key(), _SERVER_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return Issued(issued.public_bytes(serialization.Encoding.PEM), _pem(key))


def _is_good(path: Path, ca: x509.Certificate, names: x509.SubjectAlternativeName) -> bool:
    if not path.exists():
        return False
    found = x509.load_pem_x509_certificate(path.read_bytes())
    served = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        found.verify_directly_issued_by(ca)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the answer is a new one
        return False
    ends = found.not_valid_after_utc - _RENEW_BEFORE
    return served == names and ends > datetime.datetime.now(datetime.UTC)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
