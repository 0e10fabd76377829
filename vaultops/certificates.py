"""The certificate that a server really serves: days left, names, issuer.

Owns the check of what is on the wire; files and Secrets may already hold a newer one (vault#10615).
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cryptography import x509

from vaultops.errors import UnreachableError, UntrustedError
from vaultops.target import Target

CONNECT_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ServedCertificate:
    """One server's certificate. `days_left` counts whole days, negative when it has expired."""

    name: str
    issuer: str
    names: tuple[str, ...]
    expires: datetime
    serial: str

    @property
    def days_left(self) -> int:
        """Whole days until it expires."""
        return (self.expires - datetime.now(UTC)).days

    def covers(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `names` that are missing in it."""
        return tuple(name for name in names if name not in self.names)


def served(target: Target, ordinal: int) -> ServedCertificate:
    """The certificate of one replica, verified with the target's CA.

    Raises UnreachableError, and UntrustedError when the CA did not issue it or it has expired.
    """
    parts = urlsplit(target.url(ordinal))
    context = ssl.create_default_context(cafile=target.ca_file)
    name = target.name(ordinal)
    try:
        with (
            socket.create_connection(
                (parts.hostname or "", parts.port or 443), CONNECT_SECONDS
            ) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
        ):
            found = connection.getpeercert(binary_form=True) or b""
    except OSError as reason:
        if isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError):
            raise UntrustedError(
                f"the certificate of {name} is not trusted",
                where=target.url(ordinal),
                why=str(reason),
                fix="renew it, or use the CA that issued it (ConfigMap vault-ca)",
            ) from None
        target.reset(ordinal)
        raise UnreachableError(
            f"{name} does not answer",
            where=target.url(ordinal),
            why=str(reason),
            fix="see the pod's log",
        ) from None
    return _read(name, x509.load_der_x509_certificate(found))


def _read(name: str, certificate: x509.Certificate) -> ServedCertificate:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = [
        *extension.get_values_for_type(x509.DNSName),
        *map(str, extension.get_values_for_type(x509.IPAddress)),
    ]
    return ServedCertificate(
        name=name,
        issuer=certificate.issuer.rfc4514_string(),
        names=tuple(names),
        expires=certificate.not_valid_after_utc,
        serial=f"{certificate.serial_number:x}",
    )
