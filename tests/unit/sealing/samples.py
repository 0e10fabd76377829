"""Fake certificates and sealed documents; nothing in them is of any use."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from sealing.certificates import SealingCertificate, read

NOW = datetime.now(UTC).replace(microsecond=0)


@cache
def pair(
    name: str = "first", *, days: int = 30, made: int = 0, elliptic: bool = False
) -> tuple[bytes, bytes]:
    """Certificate and private key in PEM form; it began `made` days ago and ends in `days`."""
    key: Any = (
        ec.generate_private_key(ec.SECP256R1())
        if elliptic
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"fake {name}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=made + 1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def certificate(name: str = "first", **changes: Any) -> SealingCertificate:
    """A fake sealing certificate."""
    return read(pair(name, **changes)[0], source="a test")


def key_secret(name: str = "first", *, made: int = 0, label: str = "active") -> dict[str, Any]:
    """A sealing key's Secret as the API server has it."""
    public, private = pair(name, made=made)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"sealed-secrets-key-{name}",
            "namespace": "sealed-secrets",
            "uid": "fake-uid",
            "resourceVersion": "1",
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": label},
        },
        "type": "kubernetes.io/tls",
        "data": {
            "tls.crt": base64.b64encode(public).decode(),
            "tls.key": base64.b64encode(private).decode(),
        },
    }


def secret(**metadata: Any) -> dict[str, Any]:
    """A Secret in clear, with a fake value."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "model-key", "namespace": "ml-training", **metadata},
        "stringData": {"token": "fake-plaintext"},
    }


def sealed(value: str = "AgFakeSealedValue") -> dict[str, Any]:
    """A SealedSecret without a note of its key."""
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "model-key", "namespace": "ml-training"},
        "spec": {
            "encryptedData": {"token": value},
            "template": {"metadata": {"name": "model-key", "namespace": "ml-training"}},
        },
    }
