"""Keys and certificates of one node: three authorities, their leaves, the token signing key.

Owns making them once and renewing what would end soon; private keys are 0600 in a 0700 folder.
The authorities are for one throw-away cluster on one machine and sign nothing else.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.files import write_private
from local.node.layout import API_SERVICE_IP, CLUSTER_DOMAIN, NODE_IP, NODE_NAME

VALIDITY = datetime.timedelta(days=365)
RENEW_BEFORE = datetime.timedelta(days=30)
AUTHORITIES = ("ca", "front-proxy-ca", "etcd-ca")


@dataclass(frozen=True)
class Leaf:
    """One certificate: who it names, who signs it, what addresses it serves."""

    name: str
    common_name: str
    authority: str = "ca"
    groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


LEAVES = (
    Leaf(
        "apiserver",
        "kube-apiserver",
        addresses=(
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
            "localhost",
            "127.0.0.1",
            NODE_IP,
            API_SERVICE_IP,
        ),
    ),
    Leaf(
        "kubelet",
        f"system:node:{NODE_NAME}",
        groups=("system:nodes",),
        addresses=(NODE_NAME, NODE_IP),
    ),
    Leaf("apiserver-kubelet-client", "strongroom:apiserver"),
    Leaf("controller-manager", "system:kube-controller-manager"),
    Leaf("scheduler", "system:kube-scheduler"),
    Leaf("kube-proxy", "system:kube-proxy"),
    Leaf("coredns", "strongroom:coredns"),
    Leaf("storage", "strongroom:storage"),
    Leaf("admin", "strongroom:admin", groups=("system:masters",)),
    Leaf("front-proxy", "front-proxy-client", authority="front-proxy-ca"),
    Leaf("etcd", "etcd", authority="etcd-ca", addresses=("localhost", "127.0.0.1")),
    Leaf("etcd-client", "kube-apiserver", authority="etcd-ca"),
)


def ensure(folder: Path) -> bool:
    """Make whatever is missing or ends within 30 days; True when anything was made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = False
    fresh: set[str] = set()
    for name in AUTHORITIES:
        if not _usable(folder, name):
            _issue(folder, Leaf(name, f"strongroom {name}", authority=name))
            fresh.add(name)
            made = True
    for leaf in LEAVES:
        if leaf.authority in fresh or not _usable(folder, leaf.name):
            _issue(folder, leaf)
            made = True
    if not (folder / "service-account.key").exists():
        _write_key(folder / "service-account.key", ec.generate_private_key(ec.SECP256R1()))
        made = True
    if not (folder / "encryption.key").exists():
        write_private(folder / "encryption.key", b64encode(secrets.token_bytes(32)))
        made = True
    return made


def _usable(folder: Path, name: str) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    except (OSError, ValueError):
        return False
    ends = certificate.not_valid_after_utc
    left = ends - datetime.datetime.now(datetime.UTC)
    return left > RENEW_BEFORE and (folder / f"{name}.key").exists()


def _issue(folder: Path, leaf: Leaf) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in leaf.groups]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, leaf.common_name))
    subject = issuer = x509.Name(attributes)
    signer = key
    authority = leaf.authority == leaf.name
    if not authority:
        parent = x509.load_pem_x509_certificate((folder / f"{leaf.authority}.crt").read_bytes())
        issuer, signer = parent.subject, _load_key(folder / f"{leaf.authority}.key")
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + VALIDITY * (10 if authority else 1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(_usage(authority), critical=True)
    )
    if not authority:
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if leaf.addresses:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            names = x509.SubjectAlternativeName([_name(address) for address in leaf.addresses])
            builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    # The certificate is written last: `_usable` asks for it, so an interrupt leaves no odd pair.
    (folder / f"{leaf.name}.crt").unlink(missing_ok=True)
    _write_key(folder / f"{leaf.name}.key", key)
    write_private(folder / f"{leaf.name}.crt", certificate.public_bytes(serialization.Encoding.PEM))


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path}: not an elliptic curve key")
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, pem)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if path.name == "service-account.key":
        write_private(path.with_suffix(".pub"), public)
