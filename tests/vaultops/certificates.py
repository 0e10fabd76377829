"""A throw-away CA and a server certificate for loopback. Test material, made anew in each run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from components.vault import x509

_BEGAN = timedelta(days=7)


def issue(folder: Path, *, days: int = 2) -> Path:
    """Write ca.crt, ca.key, tls.crt and tls.key into `folder`; return the CA's path.

    They began a week ago; the server's ends in `days`, which may be negative, the CA's in a year.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca = x509.issue_authority("fake test CA", *_life(365))
    (folder / "ca.crt").write_text(ca.certificate)
    (folder / "ca.key").write_text(ca.key)
    renew(folder, days=days)
    return folder / "ca.crt"


def renew(folder: Path, *, days: int = 2, address: str = "127.0.0.1") -> None:
    """Replace the server's certificate and key by new ones of the same CA."""
    ca = x509.Issued((folder / "ca.crt").read_text(), (folder / "ca.key").read_text())
    names = x509.Names(dns=frozenset({"localhost"}), addresses=frozenset({address}))
    server = x509.issue_server(ca, "fake vault", names, *_life(days))
    (folder / "tls.crt").write_text(server.certificate)
    (folder / "tls.key").write_text(server.key)


def _life(days: int) -> tuple[timedelta, datetime]:
    return _BEGAN + timedelta(days=days), datetime.now(UTC) - _BEGAN
