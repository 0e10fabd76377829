"""Vault's configuration text says what was asked, and nothing that a value smuggles in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hcl2.api import loads
from hypothesis import given
from hypothesis import strategies as st

from components.vault.seal import (
    REPLACED_AT_START,
    Seal,
    SealType,
    awskms,
    gcpckms,
    shamir,
    transit,
)
from components.vault.server_config import ServerConfig, TlsVersion
from components.vault.tls import peer_addresses
from tests.unit.vault.samples import KMS


def parsed(*, replicas: int = 3, seal: Seal = KMS, **changes: Any) -> dict[str, Any]:
    """The configuration as Vault's own syntax reads it."""
    config = ServerConfig(release="vault", replicas=replicas, seal=seal, **changes)
    tree: dict[str, Any] = loads(config.hcl())
    return tree


def test_the_file_has_these_stanzas_and_no_others() -> None:
    assert set(parsed()) == {
        "ui",
        "disable_mlock",
        "listener",
        "storage",
        "seal",
        "service_registration",
        "telemetry",
    }
    assert parsed()["disable_mlock"] is True
    assert parsed()["service_registration"] == [{"kubernetes": {}}]


@pytest.mark.parametrize("replicas", [3, 5])
def test_every_server_joins_every_server_over_verified_tls(replicas: int) -> None:
    (storage,) = parsed(replicas=replicas)["storage"]
    joins = storage["raft"]["retry_join"]
    assert [join["leader_api_addr"] for join in joins] == list(peer_addresses("vault", replicas))
    assert len(joins) == replicas
    assert {join["leader_ca_cert_file"] for join in joins} == {"/vault/tls/ca.crt"}
    assert storage["raft"]["path"] == "/vault/data"


def test_the_listener_speaks_tls_1_3_unless_said_otherwise() -> None:
    (listener,) = parsed()["listener"]
    assert listener["tcp"]["tls_min_version"] == "tls13"
    assert listener["tcp"]["tls_cert_file"] == "/vault/tls/tls.crt"
    assert listener["tcp"]["tls_key_file"] == "/vault/tls/tls.key"
    assert "tls_disable" not in listener["tcp"]
    (older,) = parsed(min_tls=TlsVersion.TLS12)["listener"]
    assert older["tcp"]["tls_min_version"] == "tls12"


def test_metrics_need_a_token_and_can_be_left_out() -> None:
    (listener,) = parsed()["listener"]
    assert listener["tcp"]["telemetry"] == [{"unauthenticated_metrics_access": False}]
    assert parsed()["telemetry"][0]["disable_hostname"] is True
    assert "telemetry" not in parsed(telemetry=False)


def test_the_same_input_gives_the_same_text() -> None:
    config = ServerConfig(release="vault", replicas=3, seal=KMS)
    assert config.hcl() == config.hcl()


@pytest.mark.parametrize(
    ("seal", "stanza"),
    [
        (
            awskms(region="eu-central-1", key="alias/fake", role="arn:aws:iam::1:role/fake"),
            {"awskms": {"region": "eu-central-1", "kms_key_id": "alias/fake"}},
        ),
        (
            awskms(
                region="eu-central-1",
                key="alias/fake",
                endpoint="http://10.0.0.1:5000",
                stand_in_credentials="fake-credentials",
            ),
            {
                "awskms": {
                    "region": "eu-central-1",
                    "kms_key_id": "alias/fake",
                    "endpoint": "http://10.0.0.1:5000",
                }
            },
        ),
        (
            gcpckms(project="fake-project", region="europe-west3", key_ring="ring", key="key"),
            {
                "gcpckms": {
                    "project": "fake-project",
                    "region": "europe-west3",
                    "key_ring": "ring",
                    "crypto_key": "key",
                }
            },
        ),
        (
            transit(
                address="https://other.example.com:8200",
                mount="transit",
                key_name="unseal",
                token_secret="fake-token-secret",
                ca_secret="fake-ca-secret",
            ),
            {
                "transit": {
                    "address": "https://other.example.com:8200",
                    "mount_path": "transit/",
                    "key_name": "unseal",
                    "tls_ca_cert": "/vault/seal/ca.crt",
                }
            },
        ),
    ],
    ids=["awskms", "awskms-stand-in", "gcpckms", "transit"],
)
def test_a_seal_is_written_as_vault_reads_it(seal: Seal, stanza: dict[str, Any]) -> None:
    assert parsed(seal=seal)["seal"] == [stanza]


def test_shamir_has_no_stanza() -> None:
    assert "seal" not in parsed(seal=shamir())


def test_credentials_of_a_seal_come_from_secrets_and_never_from_the_text() -> None:
    seal = transit(
        address="https://other.example.com", mount="transit", key_name="k", token_secret="fake"
    )
    assert [(v.name, v.secret_name, v.key) for v in seal.variables] == [
        ("VAULT_TOKEN", "fake", "token")
    ]
    assert "token" not in seal.hcl()


BUILDERS: list[Callable[[str], Seal]] = [
    lambda value: awskms(region=value, key="k"),
    lambda value: awskms(region="r", key=value),
    lambda value: awskms(region="r", key="k", endpoint=value, stand_in_credentials="fake"),
    lambda value: gcpckms(project=value, region="r", key_ring="ring", key="k"),
    lambda value: gcpckms(project="p", region=value, key_ring="ring", key="k"),
    lambda value: gcpckms(project="p", region="r", key_ring=value, key="k"),
    lambda value: gcpckms(project="p", region="r", key_ring="ring", key=value),
    lambda value: transit(address=f"https://{value}", mount="m", key_name="k", token_secret="fake"),
    lambda value: transit(
        address="https://x", mount=value + "x", key_name="k", token_secret="fake"
    ),
    lambda value: transit(address="https://x", mount="m", key_name=value, token_secret="fake"),
]
BREAKING = ['x" } seal "shamir" {', "x\ny", "x\\", "${x}", "$x", "x}", "x\x00", "x\r", "x\u2028y"]


@pytest.mark.parametrize("build", BUILDERS)
@pytest.mark.parametrize("value", [*BREAKING, *REPLACED_AT_START])
def test_a_value_that_changes_the_text_is_refused(build: Callable[[str], Seal], value: str) -> None:
    with pytest.raises(ValueError, match=r"(?s)^seal \w+, \w+: .*Use (the plain|a) name"):
        build(value)


@pytest.mark.parametrize("build", [BUILDERS[0], BUILDERS[1], BUILDERS[3], BUILDERS[9]])
def test_an_empty_value_is_refused(build: Callable[[str], Seal]) -> None:
    with pytest.raises(ValueError, match="is empty"):
        build("")


@given(st.text(min_size=1))
def test_whatever_is_taken_is_read_back_unchanged(value: str) -> None:
    try:
        seal = Seal(type=SealType.TRANSIT, stanza={"key_name": value})
    except ValueError:
        return
    assert loads(seal.hcl())["seal"] == [{"transit": {"key_name": value}}]


def test_half_a_stand_in_and_two_identities_are_refused() -> None:
    with pytest.raises(ValueError, match=r"endpoint: .*Set both, or none"):
        awskms(region="r", key="k", endpoint="http://10.0.0.1:5000")
    with pytest.raises(ValueError, match=r"endpoint: .*Set both, or none"):
        awskms(region="r", key="k", stand_in_credentials="fake")
    with pytest.raises(ValueError, match=r"role: .*Remove one"):
        awskms(region="r", key="k", role="a", endpoint="http://x", stand_in_credentials="fake")


def test_another_vault_is_reached_over_tls_only() -> None:
    with pytest.raises(ValueError, match=r"address: .*is not https"):
        transit(address="http://x", mount="m", key_name="k", token_secret="fake")
