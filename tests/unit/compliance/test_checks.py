"""Each live check: right on a platform as it should be, wrong on one fault, silent when denied."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.checks import CHECKS, ask, vault
from compliance.checks.answers import Answer
from compliance.checks.transport import old_tls_is_refused
from compliance.live import MOST_TOKENS, Live
from compliance.model import State
from tests.unit.compliance import running
from tests.unit.compliance.running import platform, running_cluster, running_vault
from tests.vaultops.certificates import issue
from vaultops.errors import UnreachableError
from vaultops.target import AddressTarget

# What needs a connection of its own, and is tested with one below.
WIRED = {"old-tls-is-refused"}


def answer(check: str, live: Live) -> Answer:
    return CHECKS[check](live)


def of_vault(path: str, **changes: Any) -> Live:
    fake = running_vault()
    fake.answers[path] = {**fake.answers.get(path, {}), **changes}
    return platform(fake)


def of_tokens(**facts: Any) -> Live:
    fake = running_vault()
    fake.tokens["other"] = running.token(accessor="other", **facts)
    return platform(fake)


def with_servers(**changes: Any) -> Live:
    live = platform()
    live.__dict__["servers"] = running.servers(**changes)
    return live


def with_certificate(days: int) -> Live:
    live = platform()
    live.__dict__["certificates"] = (running.certificate(days),)
    return live


def with_cluster(*more: Any, without: str = "") -> Live:
    return platform(cluster=running_cluster(*more, without=without))


def with_container(**context: Any) -> Live:
    container = {**running.server("x")["spec"]["containers"][0]}
    container["securityContext"] = {**container["securityContext"], **context}
    return with_cluster(running.server("vault-2", containers=[container]))


LISTENER = {"config": {"tls_min_version": "tls13"}}
FAULTS: dict[str, list[tuple[Callable[[], Live], str]]] = {
    "audit-devices": [
        (lambda: one_device(), "1 audit device"),
        (
            lambda: of_vault("sys/audit", **{"stdout/": {"type": "file", "options": same_file()}}),
            "2 audit device",
        ),
    ],
    "certificates-are-valid": [(lambda: with_certificate(13), "vault-0: 13 days")],
    "default-deny": [
        (lambda: with_cluster(without="deny-vault"), "namespace vault is open"),
        (
            lambda: with_cluster(
                running.closed("vault", policyTypes=["Ingress"]), without="deny-vault"
            ),
            "namespace vault is open",
        ),
        (
            lambda: with_cluster(running.closed("vault", egress=[{}]), without="deny-vault"),
            "namespace vault is open",
        ),
    ],
    "keys-are-rotated": [
        (lambda: of_vault("sys/key-status", install_time="2001-01-01T00:00:00.1Z"), "days old")
    ],
    "listener-is-hardened": [
        (
            lambda: of_vault("sys/config/state/sanitized", raw_storage_endpoint=True),
            "raw_storage_endpoint is on",
        ),
        (
            lambda: of_vault(
                "sys/config/state/sanitized",
                listeners=[LISTENER, {"config": {"tls_disable": "true"}}],
            ),
            "TLS switched off",
        ),
        (
            lambda: of_vault(
                "sys/config/state/sanitized", listeners=[{"config": {"tls_min_version": "tls10"}}]
            ),
            "accepts tls10",
        ),
        (
            lambda: of_vault(
                "sys/config/state/sanitized",
                listeners=[{"config": {"telemetry": [{"unauthenticated_metrics_access": True}]}}],
            ),
            "metrics are served",
        ),
    ],
    "no-password-logins": [
        (
            lambda: of_vault("sys/auth", **{"userpass/": {"type": "userpass"}}),
            "auth/userpass/ is of type userpass",
        )
    ],
    "no-root-token": [
        (lambda: of_tokens(policies=["root"], ttl=0), "1 root token"),
        (lambda: of_tokens(policies=["ml-app", "root"]), "1 root token"),
        (lambda: of_vault("sys/generate-root/attempt", started=True), "being generated"),
    ],
    "raft-is-healthy": [
        (
            lambda: of_vault(
                "sys/storage/raft/autopilot/state",
                servers={"a": {"healthy": True}, "b": {"healthy": False}},
            ),
            "b is not healthy",
        ),
        (
            lambda: of_vault("sys/storage/raft/autopilot/state", failure_tolerance=0),
            "no server may be lost",
        ),
    ],
    "seal-is-automatic": [(lambda: with_servers(seal_type="shamir"), "vault-1 is sealed by")],
    "servers-are-joined": [
        (lambda: with_servers(sealed=True), "sealed: vault-1"),
        (lambda: with_servers(version="1.20.0"), "versions 1.20.0, 1.21.0"),
    ],
    "servers-are-spread": [
        (lambda: with_cluster(running.manifest("Node", "two")), "vault-0, vault-1 on one")
    ],
    "snapshots-succeed": [
        (lambda: with_cluster(without="snapshots"), "no snapshot is scheduled"),
        (
            lambda: with_cluster(running.schedule(timedelta(days=3)), without="snapshots"),
            "snapshots succeeded last",
        ),
        (lambda: with_cluster(running.schedule(None), without="snapshots"), "last never"),
    ],
    "stores-are-ready": [
        (
            lambda: with_cluster(running.ready_store("False"), without="own"),
            "ml-training/own: fake reason",
        )
    ],
    "tokens-end": [
        (lambda: of_tokens(ttl=0), "1 token(s) never end"),
        (lambda: of_tokens(period=60), "1 token(s) never end"),
        (lambda: of_tokens(ttl=33 * 24 * 3600), "1 live for more than 32 days"),
    ],
    "vault-is-confined": [
        (lambda: with_cluster(running.server("vault-2", hostNetwork=True)), "hostNetwork is on"),
        (
            lambda: with_cluster(running.server("vault-2", volumes=[{"hostPath": {"path": "/"}}])),
            "mounts / of the machine",
        ),
    ],
    "vault-is-unprivileged": [
        (lambda: with_container(privileged=True), "vault may gain privileges"),
        (lambda: with_container(runAsNonRoot=False), "vault may run as root"),
        (lambda: with_container(capabilities={}), "vault keeps capabilities"),
        (lambda: with_container(readOnlyRootFilesystem=False), "vault may write"),
    ],
}


def one_device() -> Live:
    fake = running_vault()
    del fake.answers["sys/audit"]["stdout/"]
    return platform(fake)


def same_file() -> dict[str, str]:
    return {"file_path": "/vault/audit/audit.log"}


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert set(FAULTS) | WIRED | {"audit-answers"} == set(CHECKS)


@pytest.mark.parametrize("check", sorted(set(CHECKS) - WIRED))
def test_a_platform_as_it_should_be_passes(check: str) -> None:
    found = answer(check, platform())
    fine = {"servers-are-spread": State.NOT_APPLICABLE}.get(check, State.PASSED)
    assert found.state is fine, found.said
    assert found.where or fine is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("check", "number"), [(c, n) for c, faults in FAULTS.items() for n in range(len(faults))]
)
def test_a_fault_is_found(check: str, number: int) -> None:
    made, said = FAULTS[check][number]
    found = answer(check, made())
    assert found.state is State.FAILED
    assert said in " ".join((found.said, *found.where))
    assert found.fix


@pytest.mark.parametrize(
    ("path", "checks"),
    [
        ("sys/audit", {"audit-devices"}),
        ("auth/token/accessors", {"no-root-token", "tokens-end"}),
        ("sys/key-status", {"audit-answers", "keys-are-rotated"}),
    ],
)
def test_what_may_not_be_asked_is_not_checked(path: str, checks: set[str]) -> None:
    fake = running_vault()
    fake.denied = frozenset({path})
    silent = {
        name for name, found in ask(platform(fake)).items() if found.state is State.NOT_CHECKED
    }
    assert silent - WIRED == checks


def test_a_silent_cluster_leaves_its_own_checks_open() -> None:
    refused = UnreachableError("no cluster", where="here", why="refused", fix="start it")
    cluster = running.Cluster(namespace="vault", failure=refused)
    found = ask(platform(cluster=cluster))
    assert found["default-deny"].state is State.NOT_CHECKED
    assert "refused" in found["default-deny"].said
    assert found["audit-devices"].state is State.PASSED


def test_nothing_found_is_not_checked_and_never_passed() -> None:
    nodes = (running.manifest("Node", name) for name in ("one", "two"))
    found = ask(platform(cluster=running.Cluster(namespace="vault", objects=tuple(nodes))))
    nothing = {"default-deny", "servers-are-spread", "vault-is-confined", "vault-is-unprivileged"}
    assert {name for name in nothing if found[name].state is State.NOT_CHECKED} == nothing


def test_a_server_that_does_not_answer_is_not_checked() -> None:
    assert answer("seal-is-automatic", with_servers(answers=False)).state is State.NOT_CHECKED
    found = ask(platform())["old-tls-is-refused"]
    assert found.state is State.NOT_CHECKED
    assert "does not answer" in found.said


def test_more_tokens_than_are_looked_at_are_not_called_fine() -> None:
    fake = running_vault()
    fake.tokens = {f"{n}": running.token(accessor=f"{n}") for n in range(MOST_TOKENS + 1)}
    found = answer("no-root-token", platform(fake))
    assert found.state is State.NOT_CHECKED
    assert f"only {MOST_TOKENS}" in found.said


def test_the_audit_entry_itself_is_the_evidence() -> None:
    found = answer("audit-answers", platform())
    assert found.where == (
        "2030-01-01T00:00:00Z deployer-vault-strongroom-operator read sys/key-status, "
        "request fake-request-id",
    )


def test_a_log_without_the_request_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_LOG_SECONDS", 0.0)
    live = platform(cluster=running_cluster(log="{}\n"))
    found = ask(live)["audit-answers"]
    assert found.state is State.NOT_CHECKED
    assert "this check's own request in the audit log" in found.said


def test_a_token_in_its_last_second_ends() -> None:
    """Vault rounds its `ttl` down, to what an endless token has."""
    last = of_tokens(ttl=0, expire_time="2030-01-01T00:00:00.123456789Z")
    assert answer("tokens-end", last).state is State.PASSED


def test_a_young_schedule_is_not_checked() -> None:
    young = with_cluster(running.schedule(None, age_days=1), without="snapshots")
    assert answer("snapshots-succeed", young).state is State.NOT_CHECKED


@contextmanager
def tls_server(folder: Path, *, newest: ssl.TLSVersion | None = None) -> Iterator[Live]:
    """One real TLS server on loopback; `newest` bounds what it speaks."""
    issue(folder, days=2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    if newest:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = newest
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ends = threading.Event()

        def serve() -> None:
            while not ends.is_set():
                connection, _ = listening.accept()
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        live = platform()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        live.target = AddressTarget(addresses=(address,), ca_file=str(folder / "ca.crt"))
        try:
            yield live
        finally:
            ends.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join(timeout=5)


def test_a_server_that_refuses_old_tls_passes(tmp_path: Path) -> None:
    with tls_server(tmp_path) as live:
        found = old_tls_is_refused(live)
    assert found.state is State.PASSED, found
    assert "TLSv1.3; TLS 1.1: refused" in found.where[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_server_that_speaks_old_tls_fails(tmp_path: Path) -> None:
    with tls_server(tmp_path, newest=ssl.TLSVersion.TLSv1_2) as live:
        found = old_tls_is_refused(live)
    assert found.state is State.FAILED, found
    assert "answers TLS 1.1 with TLSv1.1" in found.said
