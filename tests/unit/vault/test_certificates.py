"""Certificates over the years: clients trust what is served at every moment, and renewals happen.

Time is given, so that ten years pass in a moment.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from components.vault.certificate_lineage import (
    AUTHORITY_VALIDITY,
    PUBLISHED_BEFORE_USE,
    SUCCESSOR_BEFORE_END,
    CertificateRequest,
    Lineage,
    advance,
    begin,
    due,
)
from components.vault.tls import server_sans
from components.vault.x509 import ends, is_signed_by, names_of, serial, starts

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
REQUEST = CertificateRequest(
    common_name="Vault in a test",
    names=server_sans("vault", "secrets", 3, client_hosts=("vault.example.com", "2001:db8::7")),
    validity=90 * DAY,
    renew_before=30 * DAY,
)
SUCCESSOR_DUE = AUTHORITY_VALIDITY - SUCCESSOR_BEFORE_END


def verify(bundle: str, served: str, host: str, now: datetime) -> None:
    """What a client does that trusts `bundle`, is shown `served`, and dialled `host`."""
    subject: x509.DNSName | x509.IPAddress
    try:
        subject = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    store = Store(x509.load_pem_x509_certificates(bundle.encode()))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(subject)
    verifier.verify(x509.load_pem_x509_certificate(served.encode()), [])


def test_every_name_is_verified_and_another_is_not() -> None:
    lineage = begin(REQUEST, START)
    for host in REQUEST.names.dns | REQUEST.names.addresses:
        verify(lineage.bundle(), lineage.server.certificate, host, START)
    for host in ("vault-3.vault-internal", "example.com", "10.0.0.8"):
        with pytest.raises(VerificationError):
            verify(lineage.bundle(), lineage.server.certificate, host, START)


def test_another_ca_does_not_vouch_for_it() -> None:
    lineage, other = begin(REQUEST, START), begin(REQUEST, START)
    assert not is_signed_by(lineage.server.certificate, other.authority.certificate)
    with pytest.raises(VerificationError):
        verify(other.bundle(), lineage.server.certificate, "vault", START)


def test_the_key_fits_the_certificate_and_is_never_printed() -> None:
    server = begin(REQUEST, START).server
    key = serialization.load_pem_private_key(server.key.encode(), password=None)
    certificate = x509.load_pem_x509_certificate(server.certificate.encode())
    assert key.public_key() == certificate.public_key()
    lineage = begin(REQUEST, START)
    assert "PRIVATE KEY" not in f"{lineage!r} {lineage} {lineage.server!r}"
    assert serial(lineage.server.certificate) in repr(lineage)


def test_a_server_certificate_signs_nothing_and_serves_servers_only() -> None:
    certificate = x509.load_pem_x509_certificate(begin(REQUEST, START).server.certificate.encode())
    extensions = certificate.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_names_come_back_as_they_were_asked() -> None:
    assert names_of(begin(REQUEST, START).server.certificate) == REQUEST.names


def test_clocks_that_are_minutes_behind_accept_a_new_certificate() -> None:
    lineage = begin(REQUEST, START)
    verify(lineage.bundle(), lineage.server.certificate, "vault", START - timedelta(minutes=4))
    assert starts(lineage.server.certificate) == START


@pytest.mark.parametrize("days", [0, 1, 59])
def test_while_nothing_is_due_nothing_changes(days: int) -> None:
    lineage = begin(REQUEST, START)
    now = START + days * DAY
    assert due(lineage, REQUEST, now) is None
    assert advance(lineage, REQUEST, now) == lineage


@pytest.mark.parametrize("days", [60, 89, 90, 400])
def test_a_server_certificate_is_renewed_when_it_is_due_or_late(days: int) -> None:
    lineage, now = begin(REQUEST, START), START + days * DAY
    assert due(lineage, REQUEST, now) == "the server certificate is due for renewal"
    renewed = advance(lineage, REQUEST, now)
    assert renewed.authority == lineage.authority
    assert renewed.server.key != lineage.server.key
    assert ends(renewed.server.certificate) == now + REQUEST.validity
    assert due(renewed, REQUEST, now) is None
    verify(lineage.bundle(), renewed.server.certificate, "vault", now)


def test_changed_names_are_a_new_certificate_at_once_under_the_same_ca() -> None:
    lineage = begin(REQUEST, START)
    wider = replace(REQUEST, names=server_sans("vault", "secrets", 5))
    assert due(lineage, wider, START) == (
        "the names that the certificate must vouch for have changed"
    )
    changed = advance(lineage, wider, START)
    assert changed.authority == lineage.authority
    verify(lineage.bundle(), changed.server.certificate, "vault-4.vault-internal", START)
    with pytest.raises(VerificationError):
        verify(lineage.bundle(), changed.server.certificate, "vault.example.com", START)


def renewed_until(end: datetime, every: timedelta = 20 * DAY) -> Lineage:
    """A lineage with an `up` at regular times, the last at `end`."""
    lineage, now = begin(REQUEST, START), START
    while now < end:
        now = min(now + every, end)
        if due(lineage, REQUEST, now):
            lineage = advance(lineage, REQUEST, now)
    return lineage


def test_a_cas_successor_is_published_before_it_signs() -> None:
    published_at = START + SUCCESSOR_DUE
    before = renewed_until(published_at - DAY)
    assert before.successor is None
    assert due(before, REQUEST, published_at) == "the CA needs a successor"

    published = advance(before, REQUEST, published_at)
    assert published.successor is not None
    assert published.successor.certificate in published.bundle()
    assert published.authority == before.authority
    assert is_signed_by(published.server.certificate, before.authority.certificate)

    too_early = advance(published, REQUEST, published_at + PUBLISHED_BEFORE_USE - DAY)
    assert too_early.authority == before.authority


def test_then_it_signs_and_its_predecessor_is_trusted_until_it_ends() -> None:
    request = replace(REQUEST, validity=AUTHORITY_VALIDITY, renew_before=DAY)
    now = START + SUCCESSOR_DUE
    published = advance(begin(request, START), request, now)
    now += PUBLISHED_BEFORE_USE
    assert due(published, request, now) == "the new CA has been published long enough to take over"

    taken = advance(published, request, now)
    assert taken.authority == published.successor
    assert taken.successor is None
    assert taken.predecessors == (published.authority.certificate,)
    verify(published.bundle(), taken.server.certificate, "vault", now)  # clients of before the up
    verify(taken.bundle(), published.server.certificate, "vault", now)  # servers not yet reloaded

    end = ends(published.authority.certificate)
    assert due(taken, request, end - DAY) is None
    assert due(taken, request, end) == "a former CA has expired"
    assert advance(taken, request, end) == replace(taken, predecessors=())


def test_for_thirty_years_clients_trust_what_is_served_before_and_after_each_up() -> None:
    lineage, now, authorities = begin(REQUEST, START), START, set()
    while now < START + 30 * 365 * DAY:
        now += 25 * DAY
        verify(lineage.bundle(), lineage.server.certificate, "vault", now)
        if due(lineage, REQUEST, now):
            former, lineage = lineage, advance(lineage, REQUEST, now)
            assert lineage != former
            verify(former.bundle(), lineage.server.certificate, "vault", now)
            verify(lineage.bundle(), former.server.certificate, "vault", now)
            assert due(lineage, REQUEST, now) is None
        authorities.add(serial(lineage.authority.certificate))
    assert len(authorities) == 4


def test_a_stack_left_alone_until_its_ca_expired_begins_anew() -> None:
    lineage, now = begin(REQUEST, START), START + AUTHORITY_VALIDITY + DAY
    assert due(lineage, REQUEST, now) == "the CA has expired"
    anew = advance(lineage, REQUEST, now)
    assert anew.authority != lineage.authority
    assert (anew.successor, anew.predecessors) == (None, ())
    verify(anew.bundle(), anew.server.certificate, "vault", now)
