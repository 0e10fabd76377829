"""The Kubernetes components: their tree, their options and what they let through."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.kubernetes.namespaces import (
    NamespaceArgs,
    Namespaces,
    NamespacesArgs,
    PodSecurityLevel,
)
from components.kubernetes.network_access import (
    Destination,
    NamespaceNetwork,
    NetworkAccess,
    NetworkAccessArgs,
)
from components.kubernetes.network_policy import DNS, Flow, Peers, allow
from components.kubernetes.workload_rbac import WorkloadAccess, WorkloadAccessArgs
from tests.unit.support.monitor import Deployment, deploy

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
EVERY_MODE = pytest.mark.parametrize("preview", [False, True])


def namespaces(preview: bool, *, protect: bool = False) -> Deployment:
    def program() -> None:
        provider = k8s.Provider("k8s")
        Namespaces(
            "ns",
            NamespacesArgs(
                namespaces=(
                    NamespaceArgs(name="ml-training", purpose="training"),
                    NamespaceArgs(name="gpu", purpose="drivers", level=PodSecurityLevel.BASELINE),
                ),
                protect=protect,
            ),
            pulumi.ResourceOptions(providers=[provider]),
        )

    return deploy(program, preview=preview)


@EVERY_MODE
def test_each_namespace_starts_closed(preview: bool) -> None:
    assert namespaces(preview).tree() == [
        "pulumi:providers:kubernetes k8s",
        "strongroom:kubernetes:Namespaces ns",
        f"  {NAMESPACE} ns-gpu",
        f"  {NAMESPACE} ns-ml-training",
        f"  {POLICY} ns-gpu-default-deny",
        f"  {POLICY} ns-ml-training-default-deny",
    ]
    closed = namespaces(preview).one(POLICY, "ns-gpu-default-deny").inputs["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@EVERY_MODE
def test_namespaces_enforce_audit_and_warn_at_a_pinned_level(preview: bool) -> None:
    deployed = namespaces(preview)
    for name, level in (("ml-training", "restricted"), ("gpu", "baseline")):
        labels = deployed.one(NAMESPACE, f"ns-{name}").inputs["metadata"]["labels"]
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == level
            assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.34"
        assert labels["app.kubernetes.io/part-of"] == "strongroom"


@EVERY_MODE
def test_children_use_the_explicit_provider_and_protection_is_an_argument(preview: bool) -> None:
    for resource in namespaces(preview, protect=True).of_type(NAMESPACE):
        assert resource.provider == "k8s"
        assert resource.protect
    assert not any(r.protect for r in namespaces(preview).resources)


def test_a_namespace_given_twice_is_refused() -> None:
    twice = (NamespaceArgs(name="a", purpose="x"), NamespaceArgs(name="a", purpose="y"))
    with pytest.raises(ValueError, match="a given more than once"):
        NamespacesArgs(namespaces=twice)


def access(preview: bool, **args: Any) -> Deployment:
    return deploy(
        lambda: WorkloadAccess(
            "train",
            WorkloadAccessArgs(account="ml-training-sa", namespace="ml-training", **args),
        ),
        preview=preview,
    )


@EVERY_MODE
def test_a_workload_reads_exactly_its_secrets_and_runs_jobs(preview: bool) -> None:
    deployed = access(preview, secret_names=("mlflow-credentials", "aws-credentials"), jobs=True)
    assert deployed.tree() == [
        "strongroom:kubernetes:WorkloadAccess train",
        f"  {ACCOUNT} train-account",
        f"  {ROLE} train-role",
        f"  {BINDING} train-binding",
    ]
    assert deployed.one(ROLE).inputs["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["mlflow-credentials", "aws-credentials"],
            "verbs": ["get"],
        },
        {
            "apiGroups": ["batch"],
            "resources": ["jobs"],
            "verbs": ["create", "get", "list", "watch"],
        },
    ]
    assert deployed.one(ROLE).inputs["metadata"]["name"] == "ml-training-role"
    assert deployed.one(ACCOUNT).inputs["automountServiceAccountToken"] is False
    binding = deployed.one(BINDING)
    assert binding.inputs["subjects"] == [
        {"kind": "ServiceAccount", "name": "ml-training-sa", "namespace": "ml-training"}
    ]
    assert deployed.one(ROLE).urn in binding.depends_on


def test_an_account_without_rights_gets_no_role() -> None:
    assert access(False).of_type(ROLE) == []
    assert access(False).of_type(BINDING) == []


@pytest.mark.parametrize("name", ["*", "", "mlflow-*"])
def test_a_pattern_is_no_secret_name(name: str) -> None:
    with pytest.raises(ValueError, match="names no Secret"):
        WorkloadAccessArgs(account="a", namespace="b", secret_names=("fine", name))


def network(preview: bool) -> Deployment:
    return deploy(
        lambda: NetworkAccess(
            "net",
            NetworkAccessArgs(
                vault_namespace="vault",
                namespaces=(
                    NamespaceNetwork(
                        key="ml", name="ml", reaches_databases=True, google_identity=True
                    ),
                    NamespaceNetwork(
                        key="sealed", name="sealed", reads_vault=False, metrics_port=8081
                    ),
                    NamespaceNetwork(
                        key="vault", name="vault", calls_api_server=True, webhook_port=8080
                    ),
                ),
                api_server=Destination(cidrs=("10.0.0.1/32",), port=6443),
                kms=Destination(cidrs=("10.0.9.0/24",), port=443),
                object_storage=Destination(cidrs=("10.0.8.0/24",), port=443),
                databases=(Destination(cidrs=("10.0.5.5/32",), port=5432),),
                rotated=(Destination(cidrs=("10.0.5.5/32",), port=5432),),
                identity_providers=(Destination(cidrs=("192.0.2.7/32",), port=636),),
                monitoring="monitoring",
            ),
        ),
        preview=preview,
    )


@EVERY_MODE
def test_each_opening_has_its_own_policy(preview: bool) -> None:
    names = [line.split()[1] for line in network(preview).tree()]
    assert names == [
        "net",
        "net-ml-dns",
        "net-ml-to-databases",
        "net-ml-to-metadata",
        "net-ml-to-vault",
        "net-rotation",
        "net-sealed-dns",
        "net-sealed-metrics",
        "net-snapshots",
        "net-vault-dns",
        "net-vault-servers",
        "net-vault-to-api-server",
        "net-vault-to-vault",
        "net-vault-webhook",
    ]


def test_databases_and_object_storage_are_open_to_those_who_need_them() -> None:
    deployed = network(False)
    opened = {
        name: deployed.one(POLICY, name).inputs["spec"]
        for name in ("net-ml-to-databases", "net-rotation", "net-snapshots")
    }
    reached = {
        name: [(peer["ipBlock"]["cidr"], rule["ports"][0]["port"]) for peer in rule["to"]]
        for name, spec in opened.items()
        for rule in spec["egress"]
    }
    assert reached == {
        "net-ml-to-databases": [("10.0.5.5/32", 5432)],
        "net-rotation": [("10.0.5.5/32", 5432)],
        "net-snapshots": [("10.0.8.0/24", 443)],
    }
    pods = opened["net-snapshots"]["podSelector"]["matchLabels"]
    assert pods == {"app.kubernetes.io/component": "vault-snapshots"}
    pods = opened["net-rotation"]["podSelector"]["matchLabels"]
    assert pods == {"app.kubernetes.io/component": "rotation"}


def test_vault_is_open_to_its_readers_only_and_reaches_what_it_needs() -> None:
    spec = network(False).one(POLICY, "net-vault-servers").inputs["spec"]
    servers = {"app.kubernetes.io/name": "vault", "component": "server"}
    assert spec["podSelector"]["matchLabels"] == servers
    namespaces_let_in = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in spec["ingress"]
        for peer in rule["from"]
        if "namespaceSelector" in peer
    ]
    assert namespaces_let_in == ["ml"]
    reached = [
        (peer.get("ipBlock", {}).get("cidr"), [port["port"] for port in rule["ports"]])
        for rule in spec["egress"]
        for peer in rule["to"]
    ]
    assert reached == [
        (None, [8200, 8201]),
        ("10.0.9.0/24", [443]),
        ("10.0.5.5/32", [5432]),
        ("192.0.2.7/32", [636]),
    ]
    raft = [r for r in spec["ingress"] if {"port": 8201, "protocol": "TCP"} in r["ports"]]
    assert [rule["from"] for rule in raft] == [[{"podSelector": {"matchLabels": servers}}]]


def test_a_pod_that_acts_as_a_google_account_can_ask_who_it_is() -> None:
    """Cut off from GKE's metadata server, Vault could not use its key, and would stay sealed."""
    spec = network(False).one(POLICY, "net-ml-to-metadata").inputs["spec"]
    reached = [
        (peer["ipBlock"]["cidr"], [port["port"] for port in rule["ports"]])
        for rule in spec["egress"]
        for peer in rule["to"]
    ]
    assert reached == [("169.254.169.252/32", [987, 988]), ("169.254.169.254/32", [80, 8080])]


def test_prometheus_reads_metrics_and_nobody_else_does() -> None:
    (rule,) = network(False).one(POLICY, "net-sealed-metrics").inputs["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8081]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


def test_dns_is_udp_and_tcp_to_kube_system() -> None:
    (rule,) = network(False).one(POLICY, "net-ml-dns").inputs["spec"]["egress"]
    assert {port["protocol"] for port in rule["ports"]} == {"UDP", "TCP"}
    selector = rule["to"][0]["namespaceSelector"]["matchLabels"]
    assert selector == {"kubernetes.io/metadata.name": "kube-system"}


def test_openings_that_would_open_or_close_everything_are_refused() -> None:
    with pytest.raises(ValueError, match="without ports opens all"):
        Flow(peers=Peers(), ports=())
    with pytest.raises(ValueError, match="neither ingress nor egress"):
        deploy(lambda: allow("x", "x", namespace="a", parent=k8s.Provider("k8s")))
    assert DNS.ports == (53,)


def test_network_access_needs_vaults_namespace() -> None:
    with pytest.raises(ValueError, match="'vault' is not among ml"):
        NetworkAccessArgs(
            vault_namespace="vault",
            namespaces=(NamespaceNetwork(key="ml", name="ml"),),
            api_server=Destination(cidrs=("10.0.0.1/32",), port=6443),
        )
