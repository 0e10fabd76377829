"""What a component would refuse, or silently mix up, is told before: with its file and its key.

An exception out of a component is a traceback without a key, and what was declared before it is
made nevertheless.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from components.vault.s3_policy import s3_read_policy
from components.vault.seal import REPLACED_AT_START
from settings import Settings, SettingsError, seal
from settings.cloud_secrets import LONGEST_LOGIN_NAME
from settings.environments import Environment
from settings.identities import LONGEST_ROLE_NAME
from settings.rules_buckets import document_length
from tests.unit.support.stacks import changed

OTHERS = "arn:aws:iam::210987654321:role/fake"
ROLE = "arn:aws:iam::123456789012:role/fake"
BUCKETS = [f"example-{n:050}" for n in range(20)]
TWO_DAYS = "48h"
LOGINS = "cloudSecrets.databaseLogins"
STATIC = "engines.database.staticRoles"
STORES = "externalSecrets.stores"
OIDC: dict[str, Any] = {
    "discoveryUrl": "https://login.example.com",
    "clientId": "strongroom-vault",
    "clientSecretFile": "fake-file",
}
OIDC_ROLE: dict[str, Any] = {
    "name": "ml-engineers",
    "boundClaims": {"groups": ["ml-engineers"]},
    "redirectUris": ["http://localhost:8250/oidc/callback"],
    "policies": ["ml-engineers"],
}
MACHINE: dict[str, Any] = {"name": "batch", "cidrs": ["10.0.0.0/16"], "policies": ["ml-app"]}
TRANSIT: dict[str, Any] = {
    "type": "transit",
    "address": "https://vault.example.com:8200",
    "keyName": "strongroom-unseal",
    "tokenSecret": "vault-transit-token",
}
NAMES = ("ml", "ml-training", "ml-serving", "vault", "external-secrets", "sealed-secrets")


class Wrong(NamedTuple):
    """`changes` to a good stack make the setting `key` wrong; the error says `fragment`."""

    stack: str
    changes: dict[str, Any]
    key: str
    fragment: str


def oidc(**changes: Any) -> dict[str, Any]:
    reached = {"network.identityProviders": [{"cidrs": ["192.0.2.0/24"], "port": 443}]}
    return {"auth": {"oidc": OIDC | {"roles": [OIDC_ROLE | changes]}}, **reached}


def transit(**changes: Any) -> dict[str, Any]:
    return {"vault.seal": TRANSIT | changes}


def machine(**changes: Any) -> dict[str, Any]:
    return {"auth": {"appRole": {"roles": [MACHINE | changes]}}}


WRONG = (
    # Vault's servers
    Wrong("dev", {"vault.address": "https://vault_dev.example.com"}, "vault.address", "no https"),
    Wrong("dev", {"vault.address": "https://*.example.com"}, "vault.address", "no https address"),
    Wrong("dev", {"vault.address": "https://vault.example.com/"}, "vault.address", "after the"),
    Wrong("dev", {"vault.chart": {"location": "http://example.com", "version": "0.31.0"}},
        "vault.chart.location", "though `source` is repository"),
    Wrong("dev", {"vault.chart": {"source": "oci", "version": "0.31.0"}}, "vault.chart.location",
        "oci://"),
    Wrong("dev", {"vault.ui": {"serviceType": "LoadBalancer"}}, "network.clients",
        "whole Internet"),
    Wrong("dev", {"vault.ui": {"serviceType": "LoadBalancer"}, "network.clients": ["0.0.0.0/0"]},
        "network.clients", "holds every address"),
    Wrong("prod", {"vault.snapshots.prefix": "vault"}, "vault.snapshots.prefix", "at its end"),
    Wrong("prod", {"vault.snapshots.maxAge": "5m"}, "vault.snapshots.maxAge", "between 15m and"),
    Wrong("prod", {"vault.snapshots.identity": "fake"}, "vault.snapshots.identity",
        "though `destination` is s3"),
    Wrong("dev", {"vault.tls": {"source": "secret", "secretName": "given", "caFile": "/dev"}},
        "vault.tls.caFile", "no such file, or it holds no text"),
    # its seal
    Wrong("dev", {"network.kms": ...}, "network.kms", "it would stay sealed"),
    Wrong("dev", {"vault.seal.role": OTHERS}, "vault.seal.role", "not of account 123456789012"),
    Wrong("dev", {"vault.seal.role": "arn:aws-fake:iam::123456789012:role/a"}, "vault.seal.role",
        "no ARN of an IAM role"),
    Wrong("dev", transit(keyName='a"b'), "vault.seal.keyName", "would end or change its line"),
    Wrong("dev", transit(mount="POD_IP"), "vault.seal.mount", "replaces POD_IP"),
    # what network policies would close
    Wrong("dev", oidc() | {"network.identityProviders": []}, "network.identityProviders",
        "though `auth.oidc` is given"),
    Wrong("prod", {"network.monitoring": ...}, "network.monitoring",
        "though `vault.telemetry.serviceMonitor` is true"),
    Wrong("dev", {"externalSecrets.serviceMonitor": True}, "network.monitoring",
        "though `externalSecrets.serviceMonitor` is true"),
    # engines
    Wrong("local", {"engines.database.username": "postgres"}, "engines.database.username",
        "the administrator"),
    Wrong("local", {f"{STATIC}.0.username": "rdsadmin"}, f"{STATIC}[0].username",
        "the administrator"),
    Wrong("local", {f"{STATIC}.0.username": "vault"}, f"{STATIC}[0].username", "Vault's own"),
    Wrong("local", {STATIC: [{"name": name, "username": "fake", "schedule": "0 3 * * 0"}
        for name in ("rotation", "other")]}, f"{STATIC}[1].username", "another role's"),
    Wrong("local", {f"{STATIC}.0.window": "30m"}, f"{STATIC}[0].window", "between 1h and"),
    Wrong("local", {"engines.aws.roles.0.buckets": BUCKETS}, "engines.aws.roles[0].buckets",
        "names 20 buckets"),
    Wrong("local", {"engines.pki.roles.0.domains": ["svc.cluster.local"]},
        "engines.pki.roles[0].domains[0]", "services of every namespace"),
    Wrong("local", {"engines.transit.keys.0.rotateAfter": "1h"},
        "engines.transit.keys[0].rotateAfter", "between 1d and 365d"),
    Wrong("local", {"engines.transit.keys.0.rotateAfter": "366d"},
        "engines.transit.keys[0].rotateAfter", "between 1d and 365d"),
    # logins from outside
    Wrong("dev", oidc(redirectUris=["http://vault.example.com/oidc"]),
        "auth.oidc.roles[0].redirectUris[0]", "neither https nor localhost"),
    Wrong("dev", oidc(boundClaims={"groups": []}), "auth.oidc.roles[0].boundClaims.groups",
        "0 entries"),
    Wrong("dev", oidc(boundClaims={"groups": ["ml+"]}),
        "auth.oidc.roles[0].boundClaims.groups[0]", "is a pattern"),
    Wrong("dev", {"auth": {"github": {"organization": "example-org", "organizationId": 1,
        "teams": {"ml": []}}}}, "auth.github.teams.ml", "0 entries"),
    Wrong("dev", machine(cidrs=["0.0.0.0/0"]), "auth.appRole.roles[0].cidrs[0]", "every address"),
    Wrong("dev", machine(secretIdTtl=TWO_DAYS), "auth.appRole.roles[0].secretIdTtl",
        "between 1s and 1d"),
    # cloud identities and secrets
    Wrong("dev", {"identities.aws.roles.0.buckets": BUCKETS}, "identities.aws.roles[0].buckets",
        "names 20 buckets"),
    Wrong("prod", {"identities.aws.roles.1.account": "external-secrets-aws"},
        "identities.aws.roles", "has 2 identities for account external-secrets-aws"),
    Wrong("prod", {"identities.aws.roles.1.name": "a" * 48}, "identities.aws.roles[1].name",
        "at most 47"),
    Wrong("dev", {f"{LOGINS}.logins.0.name": "a" * 42}, f"{LOGINS}.logins[0].name", "at most 41"),
    Wrong("dev", {f"{LOGINS}.logins.0.secret": "ml/track-abcdef"}, f"{LOGINS}.logins[0].secret",
        "the end of an ARN"),
    Wrong("dev", {f"{LOGINS}.logins.0.user": "a" * 58}, f"{LOGINS}.logins[0].user", "at most 57"),
    Wrong("dev", {f"{LOGINS}.logins.0.owner": "tracking_clone"}, f"{LOGINS}.logins[0].owner",
        "one of the two users"),
    Wrong("dev", {f"{LOGINS}.logins": [{"name": f"fake-{len(user)}", "secret": user, "user": user,
        "readers": [ROLE]} for user in ("mlflow", "mlflow_clone")]}, f"{LOGINS}.logins[0].user",
        "whose clone has a login of its own"),
    Wrong("dev", {f"{LOGINS}.logins.0.readers": [OTHERS]}, f"{LOGINS}.logins[0].readers",
        "not of account 123456789012"),
    Wrong("dev", {f"{LOGINS}.writers": [OTHERS]}, f"{LOGINS}.writers", "not of account"),
    # delivery
    Wrong("dev", {"sealedSecrets.sealers": ["system:authenticated"]}, "sealedSecrets.sealers[0]",
        "everybody"),
    Wrong("local", {"externalSecrets.secrets.0.data": [
        {"key": "password", "remote": "secret/ml/mlflow", "property": part} for part in "ab"]},
        "externalSecrets.secrets[0].data", "has the key 'password' 2 times"),
    Wrong("local", {f"{STORES}.2.account": "external-secrets-aws"}, f"{STORES}[2].account",
        "another store"),
    Wrong("local", {f"{STORES}.1.account": "ml-training-sa"}, f"{STORES}[1].account",
        "`serviceAccounts` makes"),
    Wrong("local", {"rotation.job.identity": "fake"}, "rotation.job.identity", "no ARN of an IAM"),
    # names made of two
    Wrong("dev", {"serviceAccounts": [{"name": name, "namespace": "ml-training",
        "secretNames": [f"fake-{name}"]} for name in ("ml-app", "ml-app-sa")]},
        "serviceAccounts[1].name", "beside ml-training/ml-app"),
    Wrong("dev", {"namespaces": [{"name": name, "purpose": "a test"} for name in NAMES],
        "serviceAccounts": [{"name": "training-sa", "namespace": "ml"},
        {"name": "sa", "namespace": "ml-training"}]},
        "serviceAccounts[1].name", "beside ml/training-sa"),
)  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case.key}-{case.fragment}"[:60])
def test_one_mistake_is_one_error_with_its_key(case: Wrong) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.parse(changed(case.stack, case.changes), source="-")
    assert [problem.key for problem in raised.value.problems] == [case.key]
    assert case.fragment in str(raised.value)


def test_words_that_the_chart_replaces_are_the_same_on_both_sides() -> None:
    assert seal.REPLACED_AT_START == REPLACED_AT_START


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_length_of_a_document_is_foreseen(partition: str) -> None:
    for buckets in (BUCKETS[:1], BUCKETS[:7]):
        document = s3_read_policy(buckets, partition=partition)
        assert document_length(buckets, partition=partition) == len(document)


@pytest.mark.parametrize("environment", Environment)
def test_names_at_aws_fit_in_every_environment(environment: Environment) -> None:
    assert len(f"strongroom-{environment}-") + LONGEST_ROLE_NAME <= 64
    assert len(f"strongroom-{environment}-login-") + LONGEST_LOGIN_NAME <= 64
