"""The chart's values as a whole: the chart knows every key, and none holds a secret."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from components.vault.pod_values import Spread
from components.vault.seal import gcpckms, shamir, transit
from components.vault.server_config import TlsVersion
from components.vault.service_values import ServiceType, Ui
from components.vault.values import Telemetry, VaultValues
from settings.environments import Environment
from tests.unit.vault.samples import (
    CHART,
    environment_values,
    rendered,
    vault_values,
)

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
# Kubernetes' own structures, and names of people's choice: the API server knows what fits there.
FREE = (
    "server.resources.requests",
    "server.resources.limits",
    "server.extraEnvironmentVars",
    "server.affinity",
    "server.serviceAccount.annotations",
    "server.service.annotations",
    "server.statefulSet.annotations",
    "server.statefulSet.securityContext.pod",
    "server.statefulSet.securityContext.container",
    "ui.annotations",
    "injector.webhook.namespaceSelector",
    "injector.extraEnvironmentVars",
    "injector.securityContext.pod",
    "injector.securityContext.container",
    "injector.resources.requests",
    "injector.resources.limits",
)


def refused(values: dict[str, Any]) -> set[str]:
    """Dotted paths of what the schema refuses."""
    return {".".join(map(str, error.absolute_path)) for error in VALIDATOR.iter_errors(values)}


def sections(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """Dotted path of every mapping outside lists, the whole itself as the empty path."""
    yield path
    for key, value in values.items():
        if isinstance(value, dict):
            yield from sections(value, f"{path}.{key}".lstrip("."))


def at(values: dict[str, Any], path: str) -> dict[str, Any]:
    """The mapping at a dotted path."""
    for key in filter(None, path.split(".")):
        values = values[key]
    return values


@pytest.mark.parametrize("environment", list(Environment))
def test_every_environment_fits_the_one_machine_chart(environment: Environment) -> None:
    assert refused(rendered(environment_values(environment))) == set()


def test_the_one_machine_chart_refuses_exactly_what_it_has_no_objects_for() -> None:
    values = rendered(vault_values(csi=True, telemetry=Telemetry(service_monitor=True)))
    assert refused(values) == {"csi", "csi.enabled"}
    values["injector"]["leaderElector"]["enabled"] = True
    assert refused(values) == {"csi", "csi.enabled", "injector.leaderElector.enabled"}


@pytest.mark.parametrize(
    "values",
    [
        vault_values(replicas=5, spread=Spread.REQUIRED, storage_class="fast"),
        vault_values(seal=shamir(), injectors=0),
        vault_values(seal=gcpckms(project="p", region="r", key_ring="ring", key="k")),
        vault_values(
            seal=transit(
                address="https://other.example.com",
                mount="transit",
                key_name="k",
                token_secret="fake-token-secret",
                ca_secret="fake-ca-secret",
            )
        ),
        vault_values(ui=Ui(service_type=ServiceType.NODE_PORT, node_port=30200)),
        vault_values(
            ui=Ui(service_type=ServiceType.LOAD_BALANCER, clients=("10.0.0.0/16",)),
            min_tls=TlsVersion.TLS12,
        ),
        vault_values(injectors=2, telemetry=Telemetry(service_monitor=True)),
    ],
    ids=["large", "shamir", "gcpckms", "transit", "node-port", "load-balancer", "watched"],
)
def test_every_choice_fits_the_schema(values: VaultValues) -> None:
    assert refused(rendered(values)) == set()


def test_an_unknown_key_is_refused_at_every_level() -> None:
    valid = rendered(environment_values(Environment.DEV))
    tried = [path for path in sections(valid) if not path.startswith(FREE)]
    assert {"", "server", "server.ha.raft", "injector.webhook", "injector.certs", "ui"} <= set(
        tried
    )
    for path in tried:
        values = copy.deepcopy(valid)
        at(values, path)["unknownKey"] = "x"
        assert refused(values) == {path}, path


def test_a_missing_server_is_refused() -> None:
    assert "server.ha" in refused({"server": {"image": {"repository": "r", "tag": "t"}, "ha": {}}})


@pytest.mark.parametrize("environment", list(Environment))
def test_values_hold_names_of_secrets_and_no_secret(environment: Environment) -> None:
    values = rendered(environment_values(environment))
    assert values["server"]["extraEnvironmentVars"] == {"VAULT_CACERT": "/vault/tls/ca.crt"}
    assert "PRIVATE KEY" not in json.dumps(values)


def test_a_stand_ins_credentials_are_read_from_their_secret() -> None:
    seal = transit(
        address="https://other.example.com", mount="transit", key_name="k", token_secret="fake"
    )
    server = rendered(vault_values(seal=seal))["server"]
    assert server["extraSecretEnvironmentVars"] == [
        {"envName": "VAULT_TOKEN", "secretName": "fake", "secretKey": "token"}
    ]


@pytest.mark.parametrize(("replicas", "may_leave"), [(3, 1), (5, 2)])
def test_the_disruption_budget_keeps_a_majority(replicas: int, may_leave: int) -> None:
    ha = rendered(vault_values(replicas=replicas))["server"]["ha"]
    assert ha["disruptionBudget"] == {"enabled": True, "maxUnavailable": may_leave}
    assert replicas - may_leave > replicas / 2


def test_data_and_audit_have_volumes_of_their_own() -> None:
    server = rendered(vault_values(storage_class="fast"))["server"]
    for key, size, path in (("dataStorage", "1Gi", "data"), ("auditStorage", "2Gi", "audit")):
        assert server[key] == {
            "enabled": True,
            "size": size,
            "mountPath": f"/vault/{path}",
            "accessMode": "ReadWriteOnce",
            "storageClass": "fast",
        }
    assert "storageClass" not in rendered(vault_values())["server"]["dataStorage"]


def test_volumes_outlive_the_servers() -> None:
    """Another size of a volume replaces the StatefulSet: in no environment may that lose Vault."""
    server = rendered(vault_values())["server"]
    assert server["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }


def test_upgrades_wait_for_the_operator() -> None:
    server = rendered(vault_values())["server"]
    assert server["updateStrategyType"] == "OnDelete"
    assert server["ha"]["apiAddr"] == "https://$(VAULT_K8S_POD_NAME).vault-internal:8200"


@pytest.mark.parametrize(
    "release",
    [
        "",
        "secrets",
        "Vault",
        "vault-",
        "-vault",
        "vault_1",
        'vault"',
        "vault\n",
        "v" * 36 + "vault",
        "1vault",
        "vault.example",
        "vault$(X)",
    ],
)
def test_a_release_that_would_rename_or_break_anything_is_refused(release: str) -> None:
    with pytest.raises(ValueError, match=r"release: .*Use vault"):
        vault_values(release=release)


@pytest.mark.parametrize("release", ["vault", "team-vault", "vault-2", "v" * 35 + "vault"])
def test_a_release_that_holds_vault_is_taken(release: str) -> None:
    assert vault_values(release=release).release == release
