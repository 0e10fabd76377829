"""Audit logs of the real node: the API server's and Vault's, read together by the command."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import pytest
from kubernetes import client
from kubernetes.config import new_client_from_config

from benchmarks.servers import SERVERS
from components.vault.sidecars import AUDIT_MOUNT
from local.environment import Environment
from local.node.layout import ISSUER, Layout
from local.paths import REPOSITORY
from local.workload import SECRET, Cluster
from tests.e2e.objects import Objects
from tests.e2e.waiting import wait_until
from vaultops.kubectl import Kubectl

# The first test of all makes the environment.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

NAMESPACE, ACCOUNT, GRANT = "ml-training", "ml-app-sa", "ml-app"
SUBJECT = f"{NAMESPACE}/{ACCOUNT}"
VALUE = "fake-value-that-no-log-may-hold"


@dataclass(frozen=True)
class Lived:
    """Two Secrets of one namespace, and the folders with what the servers logged of them."""

    allowed: str
    other: str
    kubernetes: Path
    vault: Path


@pytest.fixture(scope="module")
def lived(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """An account reads the Secret it may read, and another; then it reads from Vault."""
    cluster = environment.cluster()
    mark = secrets.token_hex(3)
    allowed, other = f"fake-allowed-{mark}", f"fake-other-{mark}"
    core = client.CoreV1Api(cluster.api())
    try:
        for name in (allowed, other):
            value = {"metadata": {"name": name}, "stringData": {"key": VALUE}}
            core.create_namespaced_secret(NAMESPACE, value)
        _allow(cluster, allowed)
        _read(_as_account(cluster), allowed, other)
        _read(_impersonating(cluster), allowed, other)
        cluster.ensure_example_secret()
        vault = cluster.login(NAMESPACE, ACCOUNT, GRANT)
        vault.secrets.kv.v2.read_secret_version(
            path=SECRET[1], mount_point=SECRET[0], raise_on_deleted_version=True
        )
        yield Lived(
            allowed,
            other,
            environment.node.layout.audit_log.parent,
            _vault_logs(environment, tmp_path_factory.mktemp("vault")),
        )
    finally:
        rbac = client.RbacAuthorizationV1Api(cluster.api())
        for delete, name in (
            (rbac.delete_namespaced_role_binding, allowed),
            (rbac.delete_namespaced_role, allowed),
            (core.delete_namespaced_secret, allowed),
            (core.delete_namespaced_secret, other),
        ):
            delete(name, NAMESPACE)


def _allow(cluster: Cluster, name: str) -> None:
    """The account may read the Secret of that name."""
    rbac = client.RbacAuthorizationV1Api(cluster.api())
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": ["get"]}
    rbac.create_namespaced_role(NAMESPACE, {"metadata": {"name": name}, "rules": [rule]})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }
    rbac.create_namespaced_role_binding(NAMESPACE, binding)
    objects, account = Objects(cluster.api()), f"{NAMESPACE}:{ACCOUNT}"
    wait_until(  # the API server judges by what its caches have seen
        "the role to count", lambda: objects.may(account, "get", "secrets", NAMESPACE, name)
    )


def _as_account(cluster: Cluster) -> client.CoreV1Api:
    """The API with the account's own token, and an address that is not the client's."""
    administrator = cluster.api().configuration
    configuration = client.Configuration()
    configuration.host = administrator.host
    configuration.ssl_ca_cert = administrator.ssl_ca_cert
    token = cluster.token(NAMESPACE, ACCOUNT, audience=ISSUER)
    configuration.api_key = {"authorization": f"Bearer {token}"}
    api = client.ApiClient(configuration)
    api.set_default_header("X-Forwarded-For", "203.0.113.9")
    return client.CoreV1Api(api)


def _impersonating(cluster: Cluster) -> client.CoreV1Api:
    """The API as the administrator who acts as the account."""
    api = new_client_from_config(str(cluster.kubeconfig))
    api.set_default_header("Impersonate-User", f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}")
    return client.CoreV1Api(api)


def _read(core: client.CoreV1Api, allowed: str, other: str) -> None:
    core.read_namespaced_secret(allowed, NAMESPACE)
    with pytest.raises(client.ApiException) as refused:
        core.read_namespaced_secret(other, NAMESPACE)
    assert refused.value.status == 403


def _vault_logs(environment: Environment, folder: Path) -> Path:
    """What each server's file device has written until now; one that was never active: nothing."""
    kubectl = Kubectl(namespace="vault", kubeconfig=str(environment.node.kubeconfig))
    for server in SERVERS:

        def run(*command: str, server: str = server) -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                [*kubectl.command("exec", server, "-c", "audit-rotate", "--"), *command],
                env=environment.stack.environment(),
                capture_output=True,
                check=False,
                timeout=60,
            )

        with tarfile.open(fileobj=io.BytesIO(_copied(run))) as archive:
            archive.extractall(folder / server, filter="data")
    return folder


def _copied(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> bytes:
    """The folder as an archive, of a moment in which nothing was rotated."""
    for _ in range(10):
        names = run("ls", "-A", AUDIT_MOUNT)
        written = run("tar", "-c", "-C", AUDIT_MOUNT, ".")
        if written.returncode == 0 and run("ls", "-A", AUDIT_MOUNT).stdout == names.stdout:
            return written.stdout
    raise AssertionError(f"{AUDIT_MOUNT} cannot be copied: {written.stderr.decode()}")


def _audit(*arguments: str | Path) -> Any:
    """The answer of `strongroom audit`."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "audit", *map(str, arguments), "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def _callers(path: str, log: Path) -> dict[tuple[str, str | None], tuple[int, int, str]]:
    """By subject and role: calls, refused calls, and from where; of the tests' reads alone."""
    found = _audit("who", path, log)["callers"]
    return {
        (row["subject"], row["role"]): (row["calls"], row["refused"], row["address"])
        for row in found
        if row["operation"] == "get"
    }


def test_who_read_a_secret_and_who_was_refused_it(environment: Environment, lived: Lived) -> None:
    seen_from = environment.node.node_ip
    assert _callers(f"k8s:{NAMESPACE}/{lived.allowed}", lived.kubernetes) == {
        (SUBJECT, None): (1, 0, seen_from),
        ("strongroom:admin", SUBJECT): (1, 0, seen_from),
    }
    assert _callers(f"k8s:{NAMESPACE}/{lived.other}", lived.kubernetes) == {
        (SUBJECT, None): (0, 1, seen_from),
        ("strongroom:admin", SUBJECT): (0, 1, seen_from),
    }


def test_what_an_account_used_in_the_cluster_and_in_vault(lived: Lived) -> None:
    calls = _audit("used", SUBJECT, lived.kubernetes, lived.vault)["calls"]
    used = {(row["source"], row["path"]): (row["calls"] > 0, row["refused"] > 0) for row in calls}
    mount, path = SECRET
    assert used[("kubernetes", f"k8s:{NAMESPACE}/{lived.allowed}")] == (True, False)
    assert used[("kubernetes", f"k8s:{NAMESPACE}/{lived.other}")] == (False, True)
    assert used[("vault", f"{mount}/data/{path}")] == (True, False)


def test_the_report_on_both_logs(environment: Environment, lived: Lived) -> None:
    told = _audit("report", lived.kubernetes, lived.vault)
    assert told["problems"] == []
    (denial,) = (
        row
        for row in told["denials"]
        if (row["subject"], row["path"]) == (SUBJECT, f"k8s:{NAMESPACE}/{lived.other}")
    )
    assert (denial["source"], denial["requests"]) == ("kubernetes", 1)
    assert denial["address"] == environment.node.node_ip
    assert f'secrets "{lived.other}" is forbidden' in denial["error"]
    changed = {(row["subject"], row["path"]) for row in told["changes"]}
    assert ("strongroom:admin", f"k8s:rolebindings/{NAMESPACE}/{lived.allowed}") in changed
    into = {row["path"] for row in told["paths"] if row["path"].endswith("/exec")}
    assert {f"k8s:pods/vault/{server}/exec" for server in SERVERS} <= into


def test_no_request_is_lost_or_counted_twice_when_vaults_log_rotates(
    environment: Environment, tmp_path: Path
) -> None:
    volumes = Layout(environment.instance).volumes

    def rotated() -> set[Path]:
        return set(volumes.glob("*/audit.log.*.gz"))

    mount, path = SECRET[0], f"fake-{secrets.token_hex(3)}"  # nobody else asks for it
    vault = environment.cluster().login(NAMESPACE, ACCOUNT, GRANT)
    before, made, deadline = rotated(), 0, time.monotonic() + 240
    while not rotated() - before:
        assert time.monotonic() < deadline, f"no rotation within {made} requests"
        for _ in range(100):
            with suppress(hvac.exceptions.Forbidden):
                vault.secrets.kv.v2.read_secret_version(
                    path=path, mount_point=mount, raise_on_deleted_version=True
                )
            made += 1
    calls = _audit("used", SUBJECT, _vault_logs(environment, tmp_path))["calls"]
    (row,) = (row for row in calls if row["path"] == f"{mount}/data/{path}")
    assert (row["calls"], row["refused"]) == (0, made)


def test_the_log_is_private_and_holds_calls_alone(lived: Lived) -> None:
    files = list(lived.kubernetes.iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    text = "".join(file.read_text() for file in files)
    assert VALUE not in text
    # The server goes on writing: its last line may not be whole.
    events = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    assert {event["level"] for event in events} == {"Metadata"}
    resources = {event["objectRef"]["resource"] for event in events}
    assert {"secrets", "serviceaccounts", "pods", "roles"} <= resources
    assert not resources & {"leases", "events", "endpoints", "endpointslices", "configmaps"}
    assert not [e for e in events if "system:nodes" in e["user"]["groups"] and e["verb"] == "watch"]
