"""How pods and people reach Vault: UI Service, agent injector, CSI provider, metrics."""

from __future__ import annotations

import base64

import pytest

from components.vault.injector_values import FailurePolicy, Injector
from components.vault.pod_values import Image
from components.vault.service_values import ServiceType, Ui
from components.vault.values import Telemetry
from tests.unit.vault.samples import (
    FAKE_CA,
    FAKE_WEBHOOK_CA,
    WEBHOOK_SECRET,
    rendered,
    vault_values,
)


@pytest.mark.parametrize("service_type", list(ServiceType))
def test_the_ui_service_is_of_the_asked_type_and_leads_to_the_active_server(
    service_type: ServiceType,
) -> None:
    ui = rendered(vault_values(ui=Ui(service_type=service_type, clients=("10.0.0.0/16",))))["ui"]
    assert ui["serviceType"] == service_type.value
    assert ui["activeVaultPodOnly"] is True
    assert ui["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert "serviceNodePort" not in ui


def test_a_node_port_is_passed_on_and_refused_where_there_is_none() -> None:
    ui = Ui(service_type=ServiceType.NODE_PORT, node_port=30200)
    assert rendered(vault_values(ui=ui))["ui"]["serviceNodePort"] == 30200
    with pytest.raises(ValueError, match=r"node_port: 30200 .*Use NodePort, or remove node_port"):
        Ui(node_port=30200)


def test_a_load_balancer_lets_in_the_clients_and_never_everybody() -> None:
    """It is on the Internet by default, and network policies see its own address behind it."""
    clients = ("10.0.0.0/16", "192.0.2.0/24")
    ui = Ui(service_type=ServiceType.LOAD_BALANCER, clients=clients)
    assert rendered(vault_values(ui=ui))["ui"]["loadBalancerSourceRanges"] == list(clients)
    with pytest.raises(ValueError, match=r"clients: none given; .* the whole Internet"):
        Ui(service_type=ServiceType.LOAD_BALANCER)
    port = Ui(service_type=ServiceType.NODE_PORT, clients=clients)
    assert "loadBalancerSourceRanges" not in rendered(vault_values(ui=port))["ui"]


def test_the_injector_hands_the_ca_to_every_agent_and_sees_opted_in_namespaces_only() -> None:
    injector = rendered(vault_values())["injector"]
    given = injector["extraEnvironmentVars"]["AGENT_INJECT_VAULT_CACERT_BYTES"]
    assert base64.b64decode(given).decode() == FAKE_CA
    assert injector["webhook"] == {
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchLabels": {"strongroom.dev/vault-agent": "enabled"}},
    }
    assert injector["agentImage"] == {"repository": "example.com/vault", "tag": "1.21.0"}


@pytest.mark.parametrize("injectors", [1, 2])
def test_the_webhooks_certificate_is_given_so_that_no_injector_leads(injectors: int) -> None:
    injector = rendered(vault_values(injectors=injectors))["injector"]
    certs = dict(injector["certs"])
    assert base64.b64decode(certs.pop("caBundle")).decode() == FAKE_WEBHOOK_CA
    assert certs == {"secretName": WEBHOOK_SECRET, "certName": "tls.crt", "keyName": "tls.key"}
    assert injector["leaderElector"] == {"enabled": False}


def test_several_injectors_are_kept_apart_and_are_not_drained_together() -> None:
    injector = rendered(vault_values(injectors=2, release="team-vault"))["injector"]
    assert injector["podDisruptionBudget"] == {"maxUnavailable": 1}
    (kind,) = injector["affinity"]["podAntiAffinity"]
    assert kind == "preferredDuringSchedulingIgnoredDuringExecution"
    (rule,) = injector["affinity"]["podAntiAffinity"][kind]
    assert rule["podAffinityTerm"]["labelSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": "vault-agent-injector",
        "app.kubernetes.io/instance": "team-vault",
        "component": "webhook",
    }
    assert "podDisruptionBudget" not in rendered(vault_values())["injector"]


def test_the_injector_can_be_left_out_or_made_lenient() -> None:
    assert rendered(vault_values(injectors=0))["injector"] == {"enabled": False}
    lenient = Injector(
        enabled=True,
        image=Image(repository="example.com/vault-k8s", tag="1.6.2"),
        failure_policy=FailurePolicy.IGNORE,
    )
    webhook = rendered(vault_values(injector=lenient))["injector"]["webhook"]
    assert webhook["failurePolicy"] == "Ignore"


def test_csi_asks_vault_with_its_ca() -> None:
    csi = rendered(vault_values(csi=True))["csi"]
    assert csi["agent"] == {"enabled": False}
    (mount,) = csi["volumeMounts"]
    assert csi["extraArgs"] == [f"-vault-tls-ca-cert={mount['mountPath']}/ca.crt"]
    assert csi["volumes"] == [{"name": mount["name"], "configMap": {"name": "vault-ca"}}]
    assert rendered(vault_values())["csi"] == {"enabled": False}


def test_metrics_are_scraped_over_verified_tls_with_a_token() -> None:
    telemetry = Telemetry(service_monitor=True, token_secret="fake-metrics-token")
    monitor = rendered(vault_values(telemetry=telemetry))["serverTelemetry"]["serviceMonitor"]
    assert monitor == {
        "enabled": True,
        "tlsConfig": {
            "ca": {"configMap": {"name": "vault-ca", "key": "ca.crt"}},
            "serverName": "vault-active",
        },
        "authorization": {"credentials": {"name": "fake-metrics-token", "key": "token"}},
    }


@pytest.mark.parametrize("telemetry", [Telemetry(), Telemetry(enabled=False, service_monitor=True)])
def test_without_metrics_there_is_no_monitor(telemetry: Telemetry) -> None:
    values = rendered(vault_values(telemetry=telemetry))
    assert values["serverTelemetry"] == {"serviceMonitor": {"enabled": False}}
