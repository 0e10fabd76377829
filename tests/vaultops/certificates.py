"""A throw-away CA and a server certificate for loopback. Test material, made anew in each run."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM = serialization.Encoding.PEM
ISSUER = "fake test CA"


def issue(folder: Path, *, days: int = 2) -> Path:
    """Write ca.crt, ca.key, tls.crt and tls.key into `folder`; return the CA's path."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name(ISSUER)
    ca = (
        _builder(issuer, issuer, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(ca.public_bytes(PEM))
    _write_key(folder / "ca.key", key)
    renew(folder, days=days)
    return folder / "ca.crt"


def renew(folder: Path, *, days: int = 2, address: str = "127.0.0.1") -> None:
    """Replace the server's certificate and key by new ones of the same CA."""
    ca_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    loopback = x509.IPAddress(ipaddress.ip_address(address))
    certificate = (
        _builder(_name("fake vault"), _name(ISSUER), key.public_key(), days)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), loopback]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(PEM))
    _write_key(folder / "tls.key", key)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=7))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
