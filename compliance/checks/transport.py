"""Live checks of what is on the wire: which TLS each server speaks, and with which certificate."""

from __future__ import annotations

import socket
import ssl
import warnings
from urllib.parse import urlsplit

from compliance.checks.answers import Answer, unknown, unless
from compliance.live import Live
from vaultops.certificates import CONNECT_SECONDS
from vaultops.errors import UnreachableError

_SHORT = 14  # days; the renewal begins long before
_OLDEST = "TLSv1.2"


def certificates_are_valid(live: Live) -> Answer:
    """Every server's certificate is of the stack's CA and lasts for two weeks at least."""
    served = live.certificates
    return unless(
        (f"{c.name}: {c.days_left} days" for c in served if c.days_left < _SHORT),
        f"{len(served)} certificates verified against the stack's CA",
        *(f"{c.name}: serial {c.serial}, ends {c.expires:%Y-%m-%d %H:%M} UTC" for c in served),
        what="certificates end soon",
        fix="docs/runbooks/certificate-renewal.md",
    )


def old_tls_is_refused(live: Live) -> Answer:
    """Every server speaks TLS 1.2 or newer, and refuses a client that offers less."""
    names = [live.target.name(n) for n in range(live.target.replicas)]
    spoken = [_speaks(live, n, _modern(live.target.ca_file)) for n in range(len(names))]
    old = [_speaks(live, n, _old()) for n in range(len(names))]
    seen = [f"{n}: {now}; TLS 1.1: {then}" for n, now, then in zip(names, spoken, old, strict=True)]
    if any(then.startswith("not offered") for then in old):
        return unknown("this machine's own TLS library cannot offer TLS 1.1", *seen)
    return unless(
        (
            f"{name} speaks {now} and answers TLS 1.1 with {then}"
            for name, now, then in zip(names, spoken, old, strict=True)
            if now < _OLDEST or then != "refused"
        ),
        f"{len(names)} servers speak {', '.join(sorted(set(spoken)))} and refuse TLS 1.1",
        *seen,
        what="old TLS is spoken",
        fix="set strongroom:vault.tls.minVersion to tls12 or tls13",
    )


def _modern(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _old() -> ssl.SSLContext:
    """A client that offers nothing but TLS 1.0 and 1.1. It sends no data, so it verifies nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _speaks(live: Live, ordinal: int, context: ssl.SSLContext) -> str:
    """The version agreed on, `refused`, or why nothing was offered. Raises UnreachableError."""
    parts = urlsplit(live.target.url(ordinal))
    address = (parts.hostname or "", parts.port or 443)
    try:
        with (
            socket.create_connection(address, CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as connection,
        ):
            return connection.version() or "nothing"
    except ssl.SSLError as error:
        # Only the server's own alert proves that it refused; anything else may be ours.
        refused = "ALERT_PROTOCOL_VERSION" in (error.reason or "")
        return "refused" if refused else f"not offered ({error.reason})"
    except OSError as error:
        raise UnreachableError(
            f"{live.target.name(ordinal)} does not answer",
            where=live.target.url(ordinal),
            why=str(error),
            fix="see the pod's log",
        ) from None
