"""Environments compared by meaning: each guard can be found weaker, and only what is weaker is."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rule import Environment, Level
from policies.rules import ALL
from review.guards import guards, weaker
from settings import Settings
from settings.kubernetes import NAMESPACES
from tests.unit.support.stacks import changed

KMS = "arn:aws:kms:eu-central-1:123456789012:alias/fake"
GRANT = {
    "name": "fake",
    "serviceAccounts": ["fake"],
    "namespaces": ["ml-training"],
    "secrets": ["secret/fake"],
}
DATABASE = {"host": "db.example.com", "database": "fake", "passwordFile": "fake", "caFile": "fake"}
ROLE = {"name": "fake", "access": "read"}


def spaces(level: str) -> list[dict[str, Any]]:
    """The usual namespaces; ml-training admits pods of that level."""
    usual = [space.model_dump(by_alias=True, mode="json") for space in NAMESPACES]
    return [{**s, "podSecurity": level} if s["name"] == "ml-training" else s for s in usual]


def settings(stack: str = "prod", **changes: Any) -> Settings:
    dotted = {key.replace("__", "."): value for key, value in changes.items()}
    return Settings.parse(changed(stack, dotted), source="a test")


def found(weak: Settings, strong: Settings) -> set[str]:
    return {w.guard.name for w in weaker(weak, strong) if not w.guard.name.startswith("policy ")}


JOB = {"image": {"repository": "registry.example.com/strongroom", "tag": "1.0.0"}}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("protect", "dev", {"protect": False}, {"protect": True}),
    ("aws.endpoint", "local", {"aws__endpoint": "http://127.0.0.1:5000"}, {}),
    ("vault.replicas", "prod", {"vault__replicas": 3}, {"vault__replicas": 5}),
    ("vault.spread", "dev", {"vault__spread": "none"}, {"vault__spread": "preferred"}),
    (
        "vault.tls.minVersion",
        "prod",
        {"vault__tls": {"minVersion": "tls12"}},
        {"vault__tls": {"minVersion": "tls13"}},
    ),
    (
        "vault.tls.validity",
        "prod",
        {"vault__tls": {"validity": "180d"}},
        {"vault__tls": {"validity": "90d"}},
    ),
    (
        "vault.seal.type",
        "dev",
        {"vault__seal": {"type": "shamir", "acceptManualUnseal": True}},
        {},
    ),
    ("vault.seal.deletionWindow", "dev", {"vault__seal__deletionWindow": 7}, {}),
    ("vault.custodian", "dev", {}, {"vault__custodian__kmsKey": KMS}),
    ("vault.custodian.threshold", "prod", {"vault__custodian__threshold": 2}, {}),
    ("vault.snapshots.maxAge", "prod", {"vault__snapshots__maxAge": "24h"}, {}),
    ("vault.snapshots.retain", "prod", {"vault__snapshots__retain": 5}, {}),
    ("vault.injector.replicas", "dev", {}, {"vault__injector": {"replicas": 2}}),
    (
        "vault.ui.serviceType",
        "dev",
        {"vault__ui": {"serviceType": "LoadBalancer"}, "network__clients": ["10.0.0.0/16"]},
        {"network__clients": ["10.0.0.0/16"]},
    ),
    ("vault.telemetry.serviceMonitor", "prod", {"vault__telemetry__serviceMonitor": False}, {}),
    ("vault.deployer.tokenTtl", "prod", {"vault__deployer": {"tokenTtl": "2h"}}, {}),
    (
        "grants.ttl",
        "dev",
        {"grants": [GRANT, {**GRANT, "name": "long", "ttl": "12h"}]},
        {"grants": [GRANT]},
    ),
    (
        "engines.database.roles.maxTtl",
        "prod",
        {"engines": {"database": {**DATABASE, "roles": [{**ROLE, "maxTtl": "24h"}]}}},
        {"engines": {"database": {**DATABASE, "roles": [{**ROLE, "maxTtl": "2h"}]}}},
    ),
    (
        "network.apiServer",
        "prod",
        {},
        {"network__apiServer__cidrs": ["10.0.0.0/24", "10.0.0.0/25"]},
    ),
    ("network.kms", "prod", {}, {"network__kms__cidrs": ["10.0.0.1/32"]}),
    ("network.objectStorage", "prod", {}, {"network__objectStorage__cidrs": ["10.0.0.1/32"]}),
    ("network.databases", "prod", {}, {"network__databases": []}),
    (
        "network.identityProviders",
        "dev",
        {"network__identityProviders": [{"cidrs": ["10.0.0.0/16"], "port": 443}]},
        {},
    ),
    (
        "rotation.job.endpoints",
        "prod",
        {"rotation": {"job": {**JOB, "endpoints": [{"cidrs": ["10.0.0.0/16"], "port": 443}]}}},
        {"rotation": {"job": JOB}},
    ),
    ("network.clients", "dev", {"network__clients": ["10.0.0.0/16"]}, {}),
    (
        "externalSecrets.endpoints",
        "dev",
        {"externalSecrets": {"endpoints": [{"cidrs": ["10.0.0.0/16"], "port": 443}]}},
        {"externalSecrets": {"endpoints": [{"cidrs": ["10.0.0.1/32"], "port": 443}]}},
    ),
    (
        "externalSecrets.replicas",
        "dev",
        {"externalSecrets": {"replicas": 1}},
        {"externalSecrets": {"replicas": 2}},
    ),
    (
        "sealedSecrets.fingerprint",
        "dev",
        {"sealedSecrets": {"fingerprint": None}},
        {"sealedSecrets": {"fingerprint": "0" * 64}},
    ),
    (
        "sealedSecrets.keyRenewPeriod",
        "dev",
        {"sealedSecrets": {"keyRenewPeriod": "60d"}},
        {"sealedSecrets": {"keyRenewPeriod": "30d"}},
    ),
    (
        "sealedSecrets.backup",
        "dev",
        {"sealedSecrets": {"backup": {}}},
        {"sealedSecrets": {"backup": {"awsKms": KMS}}},
    ),
    (
        "namespaces.ml-training.podSecurity",
        "dev",
        {"namespaces": spaces("baseline")},
        {"namespaces": spaces("restricted")},
    ),
]


@pytest.mark.parametrize(("name", "stack", "weak", "strong"), CASES, ids=[c[0] for c in CASES])
def test_only_the_guard_that_differs_is_weaker(
    name: str, stack: str, weak: dict[str, Any], strong: dict[str, Any]
) -> None:
    one, other = settings(stack, **weak), settings(stack, **strong)
    assert found(one, other) == {name}
    assert found(other, one) == set()


def test_every_guard_is_tried() -> None:
    one = settings()
    named = {g.name for g in guards(one, one) if not g.name.startswith(("policy ", "namespaces."))}
    tried = {name for name, *_ in CASES}
    assert named - tried == {"vault.snapshots.destination", "vault.telemetry"}


def test_dev_and_prod_as_they_are_committed() -> None:
    dev, prod = settings("dev"), settings("prod")
    assert {"protect", "vault.spread", "vault.snapshots.destination"} <= found(dev, prod)
    assert {name.partition(".")[0] for name in found(prod, dev)} <= {"network"}
    said = {w.guard.name: (w.here, w.there) for w in weaker(dev, prod)}
    assert said["vault.spread"] == ("preferred", "required")
    assert said["vault.snapshots.destination"] == (
        "volume, inside the cluster",
        "s3, outside the cluster",
    )


def test_a_policy_that_only_advises_in_dev_is_weaker_there() -> None:
    softer = {
        f"policy {rule.id}"
        for rule in ALL
        if rule.levels[Environment.DEV] is Level.ADVISORY
        and rule.levels[Environment.PROD] is Level.MANDATORY
    }
    names = {w.guard.name for w in weaker(settings("dev"), settings("prod"))}
    assert softer
    assert {name for name in names if name.startswith("policy ")} == softer


def test_without_metrics_or_snapshots_an_environment_is_weaker() -> None:
    quiet = {"vault__telemetry": {"enabled": False}, "vault__snapshots__enabled": False}
    assert {"vault.telemetry", "vault.snapshots.destination"} <= found(
        settings("dev", **quiet), settings("dev")
    )
