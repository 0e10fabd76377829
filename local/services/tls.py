"""A small authority for the local services' own certificates. Not the platform's PKI.

The authority's key never leaves the folder; its certificate is what clients trust.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from components.vault import x509
from local.files import write_private

_AUTHORITY_VALIDITY = datetime.timedelta(days=3650)
_SERVER_VALIDITY = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=30)


def authority(folder: Path, name: str) -> Path:
    """Make `ca.crt` (0644) and `ca.key` (0600) in `folder` once; returns the certificate's path."""
    certificate, key = folder / "ca.crt", folder / "ca.key"
    if not (certificate.exists() and key.exists()):
        issued = x509.issue_authority(name, _AUTHORITY_VALIDITY, _now())
        write_private(key, issued.key.encode())
        write_private(certificate, issued.certificate.encode(), 0o644)
    return certificate


def server(
    folder: Path, current: Path, common_name: str, addresses: Sequence[str]
) -> x509.Issued | None:
    """A fresh server certificate from `folder`'s authority, or None while `current` is good.

    Good means: issued by this authority, for just these addresses, valid for another 30 days.
    """
    ca = x509.Issued((folder / "ca.crt").read_text(), (folder / "ca.key").read_text())
    names = _names(addresses)
    if current.exists():
        found = current.read_text()
        good = x509.is_signed_by(found, ca.certificate) and x509.names_of(found) == names
        if good and x509.ends(found) - _RENEW_BEFORE > _now():
            return None
    return x509.issue_server(ca, common_name, names, _SERVER_VALIDITY, _now())


def _names(addresses: Sequence[str]) -> x509.Names:
    numeric = frozenset(address for address in addresses if _is_numeric(address))
    return x509.Names(dns=frozenset(addresses) - numeric, addresses=numeric)


def _is_numeric(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
