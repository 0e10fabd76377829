"""The certificate that files are sealed for is the pinned one, or nothing is sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sealing.certificates import pinned, read
from tests.unit.sealing.samples import NOW, certificate, pair
from vaultops.errors import UntrustedError, VaultOpsError


def test_the_pinned_certificate_is_taken() -> None:
    own = certificate()
    assert pinned(own, own.fingerprint, source="a test") is own
    assert pinned(own, own.fingerprint.upper(), source="a test") is own


def test_a_fingerprint_is_the_sha256_of_the_der_form() -> None:
    assert len(certificate().fingerprint) == 64
    assert certificate().fingerprint != certificate("second").fingerprint


@pytest.mark.parametrize(
    ("pin", "what"),
    [(None, "no certificate is pinned"), (certificate("second").fingerprint, "not the pinned one")],
    ids=["no pin", "another's"],
)
def test_any_other_certificate_is_refused(pin: str | None, what: str) -> None:
    with pytest.raises(UntrustedError, match=what):
        pinned(certificate(), pin, source="a test")


def test_a_certificate_is_refused_from_the_moment_it_ends() -> None:
    own = certificate()
    assert pinned(own, own.fingerprint, source="a test", now=own.not_after - timedelta(seconds=1))
    with pytest.raises(UntrustedError, match="has ended"):
        pinned(own, own.fingerprint, source="a test", now=own.not_after)
    assert own.not_before < NOW < own.not_after


@pytest.mark.parametrize(
    ("pem", "what"),
    [
        (b"", "no certificates"),
        (b"not a certificate", "no certificates"),
        (pair()[0] + pair("second")[0], "2 certificates"),
        (pair(elliptic=True)[0], "no RSA key"),
    ],
    ids=["empty", "no PEM", "two", "elliptic curve"],
)
def test_what_kubeseal_could_not_use_is_refused(pem: Any, what: str) -> None:
    with pytest.raises(VaultOpsError, match=what):
        read(pem, source="a test")
