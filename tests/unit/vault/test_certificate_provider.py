"""The certificate as the engine's provider keeps it: what changes, is stored, and is secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from components.vault.certificate import (
    SECRET_OUTPUTS,
    CertificateProvider,
    ServerCertificate,
    ServerCertificateArgs,
    lineage_of,
    outputs,
    request_of,
)
from components.vault.certificate_lineage import advance, begin
from components.vault.x509 import names_of
from tests.unit.support.monitor import deploy

NOW = datetime.now(UTC)
INPUTS: dict[str, Any] = {
    "common_name": "Vault in a test",
    "dns_names": ["vault", "localhost"],
    "addresses": ["127.0.0.1"],
    "validity_seconds": 7_776_000.0,  # the engine's numbers are floats
    "renew_before_seconds": 2_592_000.0,
}


def issued(age: timedelta) -> dict[str, Any]:
    """A state as of `age` ago."""
    return outputs(INPUTS, begin(request_of(INPUTS), NOW - age))


def test_create_gives_a_whole_state() -> None:
    began = datetime.now(UTC)
    created = CertificateProvider().create(INPUTS)
    assert created.id.startswith("authority-")
    assert created.outs is not None
    assert names_of(created.outs["server_pem"]).dns == {"vault", "localhost"}
    assert created.outs["bundle_pem"] == created.outs["authority_pem"]
    expires = datetime.fromisoformat(created.outs["expires"])
    assert abs(expires - began - timedelta(days=90)) < timedelta(minutes=5)
    assert {key: created.outs[key] for key in INPUTS} == INPUTS


def test_a_fresh_certificate_is_no_change() -> None:
    diff = CertificateProvider().diff("id", issued(timedelta(days=1)), INPUTS)
    assert diff.changes is False
    assert not diff.replaces


def test_a_due_certificate_is_an_update_and_keeps_its_ca() -> None:
    old = issued(timedelta(days=61))
    assert CertificateProvider().diff("id", old, INPUTS).changes is True
    new = CertificateProvider().update("id", old, INPUTS).outs
    assert new is not None
    assert new["authority_pem"] == old["authority_pem"]
    assert new["server_pem"] != old["server_pem"]
    assert CertificateProvider().diff("id", new, INPUTS).changes is False


@pytest.mark.parametrize(
    ("changed", "reissued"),
    [
        ({"dns_names": ["vault", "localhost", "vault.example.com"]}, True),
        ({"dns_names": ["localhost", "vault"]}, False),
        ({"renew_before_seconds": 864_000}, False),
    ],
    ids=["names", "order", "renewal"],
)
def test_changed_inputs_are_stored_and_reissue_only_what_must_be(
    changed: dict[str, Any], reissued: bool
) -> None:
    old, news = issued(timedelta(days=1)), {**INPUTS, **changed}
    assert CertificateProvider().diff("id", old, news).changes is True
    new = CertificateProvider().update("id", old, news).outs
    assert new is not None
    assert (new["server_pem"] != old["server_pem"]) is reissued
    assert CertificateProvider().diff("id", new, news).changes is False


def test_the_state_gives_the_lineage_back_with_its_successor() -> None:
    request = request_of(INPUTS)
    lineage = begin(request, NOW - timedelta(days=3300))
    with_successor = advance(lineage, request, NOW)
    assert with_successor.successor is not None
    assert lineage_of(outputs(INPUTS, with_successor)) == with_successor
    assert lineage_of(outputs(INPUTS, lineage)) == lineage


def test_every_private_key_and_nothing_else_is_a_secret_output() -> None:
    request = request_of(INPUTS)
    state = outputs(INPUTS, advance(begin(request, NOW - timedelta(days=3300)), request, NOW))
    holding = {key for key, value in state.items() if "PRIVATE KEY" in str(value)}
    assert holding == set(SECRET_OUTPUTS)


def test_the_state_holds_the_providers_name_and_no_code_or_key() -> None:
    def program() -> None:
        ServerCertificate(
            "certificate",
            ServerCertificateArgs(
                common_name="Vault in a test",
                dns_names=["vault"],
                addresses=[],
                validity=timedelta(days=90),
                renew_before=timedelta(days=30),
            ),
        )

    made = deploy(program).one("pulumi-python:dynamic/vault:ServerCertificate")
    assert made.additional_secret_outputs == set(SECRET_OUTPUTS)
    assert "__provider" not in made.secret_inputs
    assert len(made.inputs["__provider"]) < 200


@pytest.mark.parametrize("renew_before", [timedelta(0), timedelta(days=-1), timedelta(days=90)])
def test_a_certificate_that_is_always_or_never_renewed_is_refused(renew_before: timedelta) -> None:
    with pytest.raises(ValueError, match=r"renew_before: .*a third of the validity"):
        ServerCertificateArgs(
            common_name="Vault in a test",
            dns_names=["vault"],
            addresses=[],
            validity=timedelta(days=90),
            renew_before=renew_before,
        )
