"""Which certificate is replaced when: a CA, its successor, and the server certificate under it.

Owns the order of a CA's replacement: a successor is published beside its predecessor long before
it signs anything, so that clients trust it when it does; the predecessor stays published until it
expires. Pure: the caller gives the time and keeps the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from components.vault.x509 import (
    Issued,
    Names,
    ends,
    is_signed_by,
    issue_authority,
    issue_server,
    names_of,
    starts,
)

AUTHORITY_VALIDITY = timedelta(days=3650)
SUCCESSOR_BEFORE_END = timedelta(days=365)
PUBLISHED_BEFORE_USE = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class CertificateRequest:
    """What the server certificate shall be. `renew_before` its end it is replaced."""

    common_name: str
    names: Names
    validity: timedelta
    renew_before: timedelta


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """The CA that signs, the one that will, those that did, and what is served now."""

    authority: Issued
    server: Issued
    successor: Issued | None = None
    predecessors: tuple[str, ...] = ()

    def bundle(self) -> str:
        """Every CA certificate a client shall trust now, PEM."""
        successor = [self.successor.certificate] if self.successor else []
        return "".join([self.authority.certificate, *successor, *self.predecessors])


def begin(request: CertificateRequest, now: datetime) -> Lineage:
    """A first CA and a first certificate under it."""
    authority = _new_authority(request, now)
    return Lineage(authority=authority, server=_new_server(authority, request, now))


def due(lineage: Lineage, request: CertificateRequest, now: datetime) -> str | None:
    """Why something must be replaced now, in words for people; None while nothing must."""
    if now >= ends(lineage.authority.certificate):
        return "the CA has expired"
    if names_of(lineage.server.certificate) != request.names:
        return "the names that the certificate must vouch for have changed"
    if now >= ends(lineage.server.certificate) - request.renew_before:
        return "the server certificate is due for renewal"
    if _successor_signs(lineage, now):
        return "the new CA has been published long enough to take over"
    if lineage.successor is None and now >= ends(lineage.authority.certificate) - (
        SUCCESSOR_BEFORE_END
    ):
        return "the CA needs a successor"
    if any(now >= ends(old) for old in lineage.predecessors):
        return "a former CA has expired"
    return None


def advance(lineage: Lineage, request: CertificateRequest, now: datetime) -> Lineage:
    """Replace what is due and keep the rest: the CA outlives its server certificates.

    With an expired CA, which no client trusts any more, all begins anew.
    """
    if now >= ends(lineage.authority.certificate):
        return begin(request, now)
    kept = tuple(old for old in lineage.predecessors if now < ends(old))
    lineage = replace(lineage, predecessors=kept)
    if lineage.successor and _successor_signs(lineage, now):
        lineage = replace(
            lineage,
            authority=lineage.successor,
            successor=None,
            predecessors=(lineage.authority.certificate, *kept),
        )
    elif lineage.successor is None and now >= ends(lineage.authority.certificate) - (
        SUCCESSOR_BEFORE_END
    ):
        lineage = replace(lineage, successor=_new_authority(request, now))
    stale = (
        names_of(lineage.server.certificate) != request.names
        or now >= ends(lineage.server.certificate) - request.renew_before
        or not is_signed_by(lineage.server.certificate, lineage.authority.certificate)
    )
    if stale:
        lineage = replace(lineage, server=_new_server(lineage.authority, request, now))
    return lineage


def _successor_signs(lineage: Lineage, now: datetime) -> bool:
    return lineage.successor is not None and now >= (
        starts(lineage.successor.certificate) + PUBLISHED_BEFORE_USE
    )


def _new_authority(request: CertificateRequest, now: datetime) -> Issued:
    return issue_authority(f"{request.common_name} CA", AUTHORITY_VALIDITY, now)


def _new_server(authority: Issued, request: CertificateRequest, now: datetime) -> Issued:
    return issue_server(authority, request.common_name, request.names, request.validity, now)
