"""Every name by which Vault is dialled is in its certificate, and no other."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hcl2.api import loads
from hypothesis import given
from hypothesis import strategies as st

from components.vault.server_config import ServerConfig
from components.vault.service_values import service_monitor
from components.vault.tls import LOOPBACK_ADDRESSES, LOOPBACK_NAMES, server_sans, webhook_sans
from tests.unit.vault.samples import KMS, rendered, vault_values

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
RELEASES = st.sampled_from(["vault", "team-vault", "vault-2"])
REPLICAS = st.sampled_from([3, 5])


def retry_join_hosts(release: str, replicas: int) -> set[str]:
    """The hosts that a joining server dials, read from the configuration text."""
    text = ServerConfig(release=release, replicas=replicas, seal=KMS).hcl()
    joins: list[dict[str, Any]] = loads(text)["storage"][0]["raft"]["retry_join"]
    return {str(urlsplit(join["leader_api_addr"]).hostname) for join in joins}


def in_cluster(host: str, namespace: str, domain: str) -> set[str]:
    """The forms of a name that cluster DNS resolves."""
    return {
        host,
        f"{host}.{namespace}",
        f"{host}.{namespace}.svc",
        f"{host}.{namespace}.svc.{domain}",
    }


@given(RELEASES, LABELS, REPLICAS, st.sampled_from(["cluster.local", "k8s.example.com"]))
def test_peers_and_services_are_covered_and_nothing_else(
    release: str, namespace: str, replicas: int, domain: str
) -> None:
    names = server_sans(release, namespace, replicas, domain)
    services = {f"{release}{s}" for s in ("", "-internal", "-active", "-standby", "-ui")}
    dialled = {
        form
        for host in retry_join_hosts(release, replicas) | services
        for form in in_cluster(host, namespace, domain)
    }
    assert names.dns == dialled | set(LOOPBACK_NAMES)
    assert names.addresses == set(LOOPBACK_ADDRESSES)
    assert all(names.covers(host) for host in dialled)


@given(RELEASES, LABELS, REPLICAS)
def test_the_next_replica_and_another_namespace_are_not_covered(
    release: str, namespace: str, replicas: int
) -> None:
    names = server_sans(release, namespace, replicas)
    assert not names.covers(f"{release}-{replicas}.{release}-internal")
    assert not names.covers(f"{release}.{namespace}x.svc")
    assert not names.covers(f"x.{release}-internal")


def test_the_address_that_servers_announce_is_covered() -> None:
    announced = rendered(vault_values())["server"]["ha"]["apiAddr"]
    names = server_sans("vault", "secrets", 3)
    for ordinal in range(3):
        address = announced.replace("$(VAULT_K8S_POD_NAME)", f"vault-{ordinal}")
        assert names.covers(str(urlsplit(address).hostname))


@given(RELEASES, LABELS)
def test_the_webhook_speaks_for_its_own_service_and_never_for_vault(
    release: str, namespace: str
) -> None:
    names = webhook_sans(release, namespace)
    service = f"{release}-agent-injector-svc"
    assert names.dns == {service, f"{service}.{namespace}", f"{service}.{namespace}.svc"}
    assert not names.addresses
    assert not names.dns & server_sans(release, namespace, 3).dns


def test_the_name_that_prometheus_verifies_is_covered() -> None:
    monitor = service_monitor("vault", enabled=True, token_secret="fake")["serviceMonitor"]
    assert server_sans("vault", "secrets", 3).covers(monitor["tlsConfig"]["serverName"])


@given(st.ip_addresses())
def test_a_clients_address_is_an_address_in_one_spelling(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    names = server_sans("vault", "secrets", 3, client_hosts=(address.exploded.upper(),))
    assert names.addresses == {*LOOPBACK_ADDRESSES, str(address)}


def test_a_clients_name_is_a_name() -> None:
    names = server_sans("vault", "secrets", 3, client_hosts=("Vault.example.com", "10.0.0.7"))
    assert names.covers("Vault.example.com")
    assert names.covers("10.0.0.7")
    assert "10.0.0.7" not in names.dns


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "*.example.com",
        "https://vault.example.com",
        "vault.example.com:8200",
        "vault.example.com\n",
        "-a.example",
        "a..b",
        "a b",
        "v\u00e4ult.example.com",
        "x" * 64,
        ".".join(["x" * 60] * 5),
    ],
)
def test_what_no_client_can_verify_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"client_hosts: .*without scheme and port"):
        server_sans("vault", "secrets", 3, client_hosts=("vault.example.com", host))
