"""The certificate that files are sealed for: read, fetched, and held against its pin.

Owns trust in the certificate. Whoever can swap it can read all that is sealed from then on, so it
is known by the SHA-256 of its DER form, which the stack's settings hold and a review sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sealing.programs import run
from vaultops.errors import UntrustedError, VaultOpsError
from vaultops.kubectl import Kubectl

CONTROLLER = "sealed-secrets"
SMALLEST_KEY_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class SealingCertificate:
    """One certificate. `fingerprint` is the SHA-256 of its DER form, 64 hexadecimal digits."""

    pem: str
    fingerprint: str
    not_before: datetime
    not_after: datetime


def read(pem: bytes, *, source: str) -> SealingCertificate:
    """The one certificate in `pem`. `source` names where it came from.

    Raises VaultOpsError for no certificate, more than one, or a key that kubeseal cannot use well.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        found = []
    if len(found) != 1:
        raise VaultOpsError(
            f"{len(found) or 'no'} certificates where there must be one",
            where=source,
            why="it would be unclear for which key the file is sealed",
            fix="give the file that `strongroom seal certificate --output` wrote",
        )
    certificate = found[0]
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY_BITS:
        raise VaultOpsError(
            "the certificate's key is no RSA key of 2048 bits or more",
            where=source,
            why="what is sealed with it could be read by others",
            fix="fetch the controller's own with `strongroom seal certificate`",
        )
    return SealingCertificate(
        pem=pem.decode(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def fetch(kubectl: Kubectl) -> SealingCertificate:
    """The controller's newest certificate, through the API server's own verified connection."""
    path = (
        f"/api/v1/namespaces/{kubectl.namespace}/services/http:{CONTROLLER}:http/proxy/v1/cert.pem"
    )
    return read(run(kubectl.command("get", "--raw", path)), source=f"the controller ({path})")


def pinned(
    certificate: SealingCertificate, pin: str | None, *, source: str, now: datetime | None = None
) -> SealingCertificate:
    """`certificate`, if it is the one pinned and has not ended.

    Raises UntrustedError otherwise, and without a pin.
    """
    if pin is None:
        raise UntrustedError(
            "no certificate is pinned; nothing was sealed",
            where="strongroom:sealedSecrets.fingerprint",
            why="the file would be sealed for whoever answers",
            fix="compare `strongroom seal certificate` with the cluster's administrator, and set "
            "the fingerprint",
        )
    if certificate.fingerprint != pin.lower():
        raise UntrustedError(
            "the certificate is not the pinned one; nothing was sealed",
            where=source,
            why=f"its fingerprint is {certificate.fingerprint}, pinned is {pin}",
            fix="after a renewal (each 30 days) pin the new one: docs/runbooks/sealing-keys.md; "
            "otherwise find out whose it is",
        )
    if certificate.not_after <= (now or datetime.now(UTC)):
        raise UntrustedError(
            "the certificate has ended; nothing was sealed",
            where=source,
            why=f"it ended at {certificate.not_after:%Y-%m-%d %H:%M} UTC",
            fix="fetch the controller's newest with `strongroom seal certificate`",
        )
    return certificate
