"""Grants: what they allow and nothing more, and the twenty ways to write one wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from access.evaluate import Acl
from access.grant import Grant, seconds
from access.policy import Capability

ML_APP: dict[str, Any] = {
    "name": "ml-app",
    "serviceAccounts": ["ml-app-sa"],
    "namespaces": ["ml-training", "ml-serving"],
    "secrets": ["secret/ml/mlflow"],
    "database": ["ml-readonly"],
    "databaseStatic": ["ml-tracking"],
    "aws": ["ml-s3-access"],
    "ttl": "24h",
}


def test_a_grant_reads_what_it_names_and_nothing_beside_it() -> None:
    acl = Acl([Grant.model_validate(ML_APP).policy])
    for path in (
        "secret/data/ml/mlflow",
        "database/creds/ml-readonly",
        "database/static-creds/ml-tracking",
        "aws/creds/ml-s3-access",
    ):
        assert acl.capabilities(path) == {Capability.READ}
    for path in (
        "secret/data/ml/other",
        "secret/data/ml/mlflow/child",
        "secret/metadata/ml/mlflow",
        "database/creds/ml-readwrite",
        "database/creds/ml-tracking",
        "database/static-creds/ml-readonly",
        "database/static-roles/ml-tracking",
        "sys/mounts",
        "auth/token/create",
    ):
        assert acl.capabilities(path) == {Capability.DENY}


def test_a_manager_writes_its_secret_and_destroys_nothing() -> None:
    grant = Grant(
        name="mlflow-writer",
        service_accounts=("mlflow-admin",),
        namespaces=("ml-training",),
        manages=("secret/ml/mlflow",),
    )
    acl = Acl([grant.policy])
    assert {Capability.CREATE, Capability.UPDATE} < acl.capabilities("secret/data/ml/mlflow")
    assert acl.capabilities("secret/metadata/ml/mlflow") == {Capability.READ}
    assert acl.capabilities("secret/destroy/ml/mlflow") == {Capability.DENY}
    assert acl.capabilities("secret/data/ml/other") == {Capability.DENY}


def test_a_grant_is_at_most_a_day_long() -> None:
    assert Grant.model_validate(ML_APP).ttl_seconds == 86_400


@pytest.mark.parametrize(
    ("text", "length"), [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("7d", 604_800)]
)
def test_durations_are_read(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        ({"name": "ML App"}, "name", "is no Kubernetes name"),
        ({"name": "*"}, "name", "wildcard"),
        ({"serviceAccounts": []}, "serviceAccounts", "name at least one"),
        ({"serviceAccounts": ["*"]}, "serviceAccounts.0", "every pod"),
        ({"serviceAccounts": ["ml-*"]}, "serviceAccounts.0", "every pod"),
        ({"serviceAccounts": ["ok", "Not_ok"]}, "serviceAccounts.1", "is no Kubernetes name"),
        ({"serviceAccounts": "ml-app-sa"}, "serviceAccounts", "valid tuple"),
        ({"namespaces": []}, "namespaces", "name at least one"),
        ({"namespaces": ["*"]}, "namespaces.0", "every pod"),
        ({"namespaces": ["ml_training"]}, "namespaces.0", "is no Kubernetes name"),
        ({"audience": ""}, "audience", "at least 1 character"),
        ({"secrets": ["secret/ml/*"]}, "secrets.0", "nobody has written yet"),
        ({"secrets": ["secret/+/mlflow"]}, "secrets.0", "nobody has written yet"),
        ({"secrets": ["mlflow"]}, "secrets.0", "mount/path"),
        ({"secrets": ["secret/data/ml/mlflow"]}, "secrets.0", "leave out 'data'"),
        ({"secrets": ["secret/ml/a b"]}, "secrets.0", "mount/path"),
        ({"database": ["ml readonly"]}, "database.0", "is no role name"),
        ({"database": ["creds/ml-readonly"]}, "database.0", "is no role name"),
        ({"databaseStatic": ["*"]}, "databaseStatic.0", "is no role name"),
        ({"aws": ["*"]}, "aws.0", "is no role name"),
        (
            {"secrets": [], "database": [], "databaseStatic": [], "aws": []},
            "",
            "the grant gives nothing",
        ),
        ({"manages": ["secret/ml/mlflow"]}, "", "in secrets and in manages"),
        ({"ttl": "25h"}, "", "between 1m and 24h"),
        ({"ttl": "30s"}, "", "between 1m and 24h"),
        ({"ttl": "a day"}, "", "is no duration"),
        ({"tll": "1h"}, "tll", "not permitted"),
    ],
)
def test_a_wrong_grant_is_refused_by_key(change: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Grant.model_validate(ML_APP | change)
    (error,) = refused.value.errors()
    assert ".".join(map(str, error["loc"])) == key
    assert said in error["msg"]


def test_a_password_that_vault_rotates_is_enough_of_a_grant() -> None:
    only = ML_APP | {"secrets": [], "database": [], "aws": []}
    acl = Acl([Grant.model_validate(only).policy])
    assert acl.capabilities("database/static-creds/ml-tracking") == {Capability.READ}
    assert acl.capabilities("database/creds/ml-readonly") == {Capability.DENY}
