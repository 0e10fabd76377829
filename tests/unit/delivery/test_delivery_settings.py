"""Settings of sealed, external and encrypted secrets: what passes, and what is refused why."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from access.grant import Grant
from settings.cloud import Cloud
from settings.engines import Engines
from settings.environments import Environment
from settings.errors import Problem
from settings.external_secrets import ExternalSecrets
from settings.rules_external import external_problems
from settings.rules_sealing import sealing_problems, sops_problems
from settings.sealed_secrets import SealedSecrets
from settings.sops import Sops

NAMESPACES = ("ml-training", "ml-serving", "external-secrets", "sealed-secrets")
AGE = "age1" + "q" * 58
GRANT = Grant.model_validate(
    {
        "name": "ml-app",
        "serviceAccounts": ["ml-app-sa"],
        "namespaces": ["ml-training"],
        "secrets": ["secret/ml/mlflow"],
        "database": ["ml-readonly"],
        "ttl": "1h",
    }
)
ENGINES = Engines.model_validate(
    yaml.safe_load(
        """
database:
  host: postgres.example.com
  database: mlflow
  passwordFile: fake-password-file
  caFile: fake-ca.crt
  roles: [{ name: ml-readonly, ttl: 1h }]
"""
    )
)
SEALED = (
    "{ image: { repository: example/controller, tag: 0.36.6 }, backup: { age: [" + AGE + "] } }"
)
EXTERNAL = """
replicas: 2
image: { repository: example/external-secrets, tag: v0.20.4 }
stores:
  - { type: vault, name: vault, namespace: ml-training, grant: ml-app, account: ml-app-sa }
  - type: aws
    name: aws
    namespace: ml-serving
    role: arn:aws:iam::123456789012:role/ml
    sharedWith: [ml-training, ml-serving]
secrets:
  - name: mlflow
    namespace: ml-training
    store: vault
    data: [{ key: password, remote: secret/ml/mlflow, property: password }]
  - name: login
    namespace: ml-training
    store: vault
    generate: database/creds/ml-readonly
    refresh: 20m
  - { name: aws, namespace: ml-training, store: aws, extract: [ml/training/credentials] }
pushes:
  - { name: key, namespace: ml-serving, store: aws, keys: { token: ml/model-key } }
"""


def external(**changes: Any) -> ExternalSecrets:
    return ExternalSecrets.model_validate(changed(yaml.safe_load(EXTERNAL), changes))


def changed(given: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`given` with values set by dotted key, `__` for the dots."""
    for key, value in changes.items():
        section: Any = given
        *parents, last = key.split("__")
        for part in parents:
            section = section[int(part)] if part.isdigit() else section[part]
        section[last] = value
    return given


def problems(configured: ExternalSecrets, cloud: Cloud = Cloud.AWS) -> list[Problem]:
    return list(external_problems(configured, [GRANT], ENGINES, cloud, NAMESPACES))


def test_a_whole_configuration_passes() -> None:
    assert problems(external()) == []


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        ({"namespace": "nowhere"}, "namespace", "not among `namespaces`"),
        ({"stores__0__grant": "other"}, "stores[0].grant", "not among `grants`"),
        ({"stores__0__account": "ml-training-sa"}, "stores[0].account", "does not name"),
        ({"stores__0__namespace": "ml-serving"}, "stores[0].namespace", "does not name"),
        ({"stores__1__sharedWith": ["nowhere"]}, "stores[1].sharedWith[0]", "not among"),
        ({"stores__1__name": "vault"}, "stores", "'vault' 2 times"),
        ({"secrets__1__name": "mlflow"}, "secrets", "'ml-training/mlflow' 2 times"),
        ({"secrets__0__store": "other"}, "secrets[0].store", "not among"),
        ({"secrets__0__data": []}, "secrets[0]", "takes nothing"),
        ({"secrets__0__refresh": "30s"}, "secrets[0].refresh", "'30s'"),
        (
            {"secrets__0__data__0__remote": "secret/ml/other"},
            "secrets[0].data[0].remote",
            "grant ml-app does not give",
        ),
        ({"secrets__2__store": "vault"}, "secrets[2].extract[0]", "does not give"),
        (
            {"secrets__1__generate": "database/creds/ml-readwrite"},
            "secrets[1].generate",
            "does not give",
        ),
        ({"secrets__2__generate": "aws/creds/x"}, "secrets[2].generate", "store is not Vault"),
        ({"secrets__1__refresh": "50m"}, "secrets[1].refresh", "refreshes every 50m"),
        ({"pushes__0__store": "other"}, "pushes[0].store", "not among"),
        ({"pushes__0__store": "vault"}, "pushes[0].store", "ml-serving may not use"),
    ],
)
def test_what_would_fail_later_is_found_before(
    changes: dict[str, Any], key: str, what: str
) -> None:
    found = problems(external(**changes))
    matching = [p for p in found if p.key == f"externalSecrets.{key}"]
    assert matching, found
    assert what in matching[0].what


@pytest.mark.parametrize(
    ("chart", "key"),
    [
        ({"source": "path", "location": "no/such/chart"}, "location"),
        ({"location": "http://charts.example.com"}, "location"),
        ({"source": "oci", "location": "https://charts.example.com"}, "location"),
        ({"version": None}, "version"),
    ],
)
def test_a_chart_is_there_pinned_and_fetched_safely(chart: dict[str, Any], key: str) -> None:
    (found,) = problems(external(chart=chart))
    assert found.key == f"externalSecrets.chart.{key}"
    (found,) = sealing(Environment.DEV, chart=chart)
    assert found.key == f"sealedSecrets.chart.{key}"


def test_a_store_needs_its_cloud() -> None:
    (found,) = problems(external(), Cloud.NONE)
    assert found.key == "externalSecrets.stores[1].type"


def test_generated_credentials_are_made_in_the_stores_own_namespace() -> None:
    stores = {"stores__0__sharedWith": ["ml-training", "ml-serving"]}
    found = problems(external(**stores, secrets__1__namespace="ml-serving"))
    assert [p.key for p in found] == ["externalSecrets.secrets[1].generate"]


def test_what_is_switched_off_is_not_judged() -> None:
    off = external(enabled=False, namespace="nowhere")
    assert problems(off) == []
    sealed = SealedSecrets.model_validate(yaml.safe_load(SEALED) | {"enabled": False})
    assert list(sealing_problems(sealed, Environment.PROD, ())) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stores__0__type": "azure"}, "azure"),
        ({"stores__1__accessKey": "fake"}, "accessKey"),
        ({"replicas": 0}, "greater than or equal to 1"),
        ({"secrets__0__namespace": "ml-*"}, "DNS label"),
    ],
)
def test_a_wrong_form_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        external(**changes)


def sealing(environment: Environment, **changes: Any) -> list[Problem]:
    sealed = SealedSecrets.model_validate(changed(yaml.safe_load(SEALED), changes))
    return list(sealing_problems(sealed, environment, NAMESPACES))


def test_sealing_in_production_needs_someone_who_can_open_the_backup() -> None:
    assert sealing(Environment.PROD) == []
    (found,) = sealing(Environment.PROD, backup={})
    assert found.key == "sealedSecrets.backup"
    assert sealing(Environment.DEV, backup={}) == []


@pytest.mark.parametrize("period", ["12h", "91d"])
def test_sealing_keys_live_for_days_not_for_ever(period: str) -> None:
    (found,) = sealing(Environment.DEV, keyRenewPeriod=period)
    assert found.key == "sealedSecrets.keyRenewPeriod"


def test_files_are_opened_in_namespaces_that_exist() -> None:
    (found,) = sealing(Environment.DEV, openedIn=["ml-training", "nowhere"])
    assert found.key == "sealedSecrets.openedIn[1]"


@pytest.mark.parametrize("fingerprint", ["ab:cd", "A" * 64, "a" * 63])
def test_a_fingerprint_is_64_hexadecimal_digits(fingerprint: str) -> None:
    with pytest.raises(ValidationError, match="fingerprint"):
        sealing(Environment.DEV, fingerprint=fingerprint)


def test_a_sops_rule_names_a_key_and_nothing_without_effect() -> None:
    assert list(sops_problems(Sops.model_validate({"folder": "secrets/prod", "age": [AGE]}))) == []
    (nothing,) = sops_problems(Sops.model_validate({"folder": "secrets/prod"}))
    assert nothing.key == "sops"
    useless = Sops.model_validate(
        {"folder": "secrets/prod", "age": [AGE], "awsProfile": "production"}
    )
    assert [p.key for p in sops_problems(useless)] == ["sops.awsProfile"]


@pytest.mark.parametrize("folder", ["/secrets", "secrets/../keys", "secrets/"])
def test_a_folder_lies_within_the_repository(folder: str) -> None:
    with pytest.raises(ValidationError, match="folder"):
        Sops.model_validate({"folder": folder, "age": [AGE]})
