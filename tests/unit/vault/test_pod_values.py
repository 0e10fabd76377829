"""The pod's part of the values: placement, rights, mounts, probes."""

from __future__ import annotations

import pytest

from components.vault.pod_values import Resources, Spread
from components.vault.seal import gcpckms
from tests.unit.vault.samples import (
    KMS,
    TLS_SECRET,
    rendered,
    vault_values,
)


def test_resources_default_to_the_agreed_size() -> None:
    assert rendered(vault_values())["server"]["resources"] == {
        "requests": {"memory": "256Mi", "cpu": "250m"},
        "limits": {"memory": "512Mi", "cpu": "500m"},
    }


def test_resources_are_the_callers() -> None:
    resources = Resources(memory="1Gi", cpu="1", memory_limit="2Gi", cpu_limit="2")
    assert rendered(vault_values(resources=resources))["server"]["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "1"},
        "limits": {"memory": "2Gi", "cpu": "2"},
    }


def test_no_spread_switches_the_charts_own_rule_off() -> None:
    server = rendered(vault_values(spread=Spread.NONE))["server"]
    assert (server["affinity"], server["topologySpreadConstraints"]) == ("", [])


@pytest.mark.parametrize(
    ("spread", "rule"),
    [
        (Spread.PREFERRED, "preferredDuringSchedulingIgnoredDuringExecution"),
        (Spread.REQUIRED, "requiredDuringSchedulingIgnoredDuringExecution"),
    ],
)
def test_spread_keeps_this_releases_servers_apart(spread: Spread, rule: str) -> None:
    server = rendered(vault_values(spread=spread, release="team-vault"))["server"]
    rules = server["affinity"]["podAntiAffinity"]
    assert set(rules) == {rule}
    term = rules[rule][0].get("podAffinityTerm", rules[rule][0])
    assert term["topologyKey"] == "kubernetes.io/hostname"
    labels = {
        "app.kubernetes.io/name": "vault",
        "app.kubernetes.io/instance": "team-vault",
        "component": "server",
    }
    (zones,) = server["topologySpreadConstraints"]
    assert term["labelSelector"] == zones["labelSelector"] == {"matchLabels": labels}
    assert zones["topologyKey"] == "topology.kubernetes.io/zone"
    must = spread is Spread.REQUIRED
    assert zones["whenUnsatisfiable"] == ("DoNotSchedule" if must else "ScheduleAnyway")


def test_every_container_fits_the_restricted_level() -> None:
    values = rendered(vault_values())
    server, injector = values["server"], values["injector"]
    for pod in (
        server["statefulSet"]["securityContext"]["pod"],
        injector["securityContext"]["pod"],
    ):
        assert pod["runAsNonRoot"] is True
        assert pod["runAsUser"] > 0
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (
        server["statefulSet"]["securityContext"]["container"],
        injector["securityContext"]["container"],
        *(container["securityContext"] for container in server["extraContainers"]),
    ):
        assert container == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_certificate_and_ca_are_mounted_where_vault_and_the_reloader_look() -> None:
    server = rendered(vault_values())["server"]
    tls = next(v for v in server["volumes"] if v["name"] == "tls")["projected"]
    secret, config_map = tls["sources"]
    assert secret["secret"]["name"] == TLS_SECRET
    assert config_map["configMap"]["name"] == "vault-ca"
    assert tls["defaultMode"] == 0o440
    paths = {
        item["path"]
        for source in (secret["secret"], config_map["configMap"])
        for item in source["items"]
    }
    assert paths == {"tls.crt", "tls.key", "ca.crt"}
    for mounts in (server["volumeMounts"], server["extraContainers"][0]["volumeMounts"]):
        assert {"name": "tls", "mountPath": "/vault/tls", "readOnly": True} in mounts


def test_a_sealed_server_is_neither_ready_nor_killed() -> None:
    server = rendered(vault_values())["server"]
    assert server["readinessProbe"]["path"] == "/v1/sys/health?standbyok=true"
    assert server["livenessProbe"] == {"enabled": False}
    for annotated in (server["service"], server["statefulSet"]):
        assert annotated["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_the_service_account_carries_the_seals_identity() -> None:
    account = rendered(vault_values(seal=KMS))["server"]["serviceAccount"]
    assert account == {"create": True, "annotations": {}}
    seal = gcpckms(
        project="p", region="r", key_ring="ring", key="k", service_account="vault@fake.invalid"
    )
    account = rendered(vault_values(seal=seal))["server"]["serviceAccount"]
    assert account["annotations"] == {"iam.gke.io/gcp-service-account": "vault@fake.invalid"}
