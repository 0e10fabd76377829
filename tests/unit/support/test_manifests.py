"""What reading a manifest finds: each thing that Pod Security forbids, and secrets in clear."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.support.manifests import Json, breaches, literals, strings

CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
GOOD: Json = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "initContainers": [{"name": "agent", "securityContext": dict(CONFINED)}],
    "containers": [{"name": "main", "securityContext": dict(CONFINED)}],
    "volumes": [{"name": "work", "emptyDir": {}}],
}


def harmed(**changes: Any) -> Json:
    """A good pod with something set by dotted key, with underscores for dots."""
    pod: Json = copy.deepcopy(GOOD)
    for key, value in changes.items():
        *parents, last = (int(p) if p.isdigit() else p for p in key.split("_"))
        below: Any = pod
        for part in parents:
            below = below[part]
        below[last] = value
    return pod


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"volumes_0": {"name": "x", "hostPath": {"path": "/"}}}, "volume hostPath"),
        ({"securityContext_runAsNonRoot": False}, "may run as root"),
        ({"securityContext_runAsUser": 0}, "runs as root"),
        ({"securityContext_seccompProfile": {"type": "Unconfined"}}, "no seccomp profile"),
        ({"securityContext_sysctls": [{"name": "kernel.msgmax"}]}, "sysctls"),
        ({"initContainers_0_securityContext_runAsUser": 0}, "agent: runs as root"),
        ({"containers_0_securityContext_allowPrivilegeEscalation": True}, "may gain privileges"),
        ({"containers_0_securityContext_privileged": True}, "privileged"),
        ({"containers_0_securityContext_capabilities": {}}, "keeps capabilities"),
        (
            {"containers_0_securityContext_capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
            "adds capabilities",
        ),
        ({"containers_0_ports": [{"containerPort": 80, "hostPort": 80}]}, "port of the node"),
    ],
)
def test_what_restricted_forbids_would_be_seen(change: Json, expected: str) -> None:
    assert any(expected in breach for breach in breaches(harmed(**change)))


@pytest.mark.parametrize(
    "env",
    [
        {"name": "DB_PASSWORD", "value": "fake"},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": "fake"},
        {"name": "X", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ],
)
def test_a_secret_in_the_environment_would_be_seen(env: Json) -> None:
    assert list(literals(harmed(containers_0_env=[env])))


def test_a_path_to_a_secret_is_none() -> None:
    env = {"name": "DATABASE_PASSWORD_FILE", "value": "/vault/secrets/password"}
    assert list(literals(harmed(containers_0_env=[env]))) == []


def test_a_good_pod_has_no_breach() -> None:
    assert list(breaches(GOOD)) == []


def test_every_text_of_a_manifest_is_found() -> None:
    assert list(strings({"a": ["b", {"c": "d"}], "e": 1})) == ["b", "d"]
