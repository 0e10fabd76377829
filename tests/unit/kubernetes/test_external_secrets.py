"""External Secrets Operator: what runs, with which rights, and what is taken out of the chart's."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.kubernetes.external_secrets import ExternalSecretsArgs, ExternalSecretsOperator
from components.kubernetes.external_secrets_values import (
    OperatorValues,
    narrow_rights,
    operator_values,
)
from components.kubernetes.network_access import Destination
from components.vault.cluster import ChartOrigin, ChartSource
from components.vault.pod_values import Image
from tests.unit.support.monitor import Deployment, deploy

CHART = "kubernetes:helm.sh/v4:Chart"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
IMAGE = Image(repository="registry.example.com/external-secrets", tag="0.20.4")


def values(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"image": IMAGE, "replicas": 2}
    return operator_values(OperatorValues(**(given | changes)))


def run(*, preview: bool = False, stores: tuple[Destination, ...] = ()) -> Deployment:
    def program() -> None:
        ExternalSecretsOperator(
            "eso",
            ExternalSecretsArgs(
                namespace="external-secrets",
                values=OperatorValues(image=IMAGE, replicas=2),
                chart=ChartSource(
                    origin=ChartOrigin.OCI,
                    location="oci://registry.example.com/external-secrets",
                    version="0.20.4",
                ),
                stores=stores,
            ),
        )

    return deploy(program, preview=preview, outputs={CHART: {"resources": []}})


@pytest.mark.parametrize("preview", [False, True], ids=["up", "preview"])
def test_the_tree_is_as_pinned(preview: bool) -> None:
    stores = (Destination(cidrs=("10.0.0.0/16",), port=443),)
    deployed = run(preview=preview, stores=stores)
    assert deployed.tree() == [
        "strongroom:kubernetes:ExternalSecrets eso",
        f"  {CHART} eso-chart",
        f"  {POLICY} eso-to-stores",
        f"  {ROLE} eso-certificate-role",
        f"  {BINDING} eso-certificate-binding",
    ]
    assert deployed.one(CHART).inputs["chart"] == "oci://registry.example.com/external-secrets"
    assert deployed.one(BINDING).urn in deployed.one(CHART).depends_on


def test_only_the_operators_pods_reach_cloud_stores_and_only_where_named() -> None:
    assert run().of_type(POLICY) == []
    stores = (Destination(cidrs=("10.0.0.0/16",), port=443),)
    spec = run(stores=stores).one(POLICY).inputs["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "external-secrets"}
    (egress,) = spec["egress"]
    assert egress["to"] == [{"ipBlock": {"cidr": "10.0.0.0/16"}}]
    assert [port["port"] for port in egress["ports"]] == [443]


def test_every_container_is_restricted_pinned_and_bounded() -> None:
    given = values()
    for part in (given, given["webhook"], given["certController"]):
        assert part["podSecurityContext"]["runAsNonRoot"] is True
        assert part["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert part["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert part["securityContext"]["allowPrivilegeEscalation"] is False
        assert set(part["resources"]) == {"requests", "limits"}
        assert part["image"]["tag"] == "0.20.4"


@pytest.mark.parametrize(("replicas", "budget"), [(1, False), (2, True)])
def test_a_budget_keeps_one_where_there_are_more(replicas: int, budget: bool) -> None:
    given = values(replicas=replicas)
    for part in (given, given["webhook"]):
        assert part["replicaCount"] == replicas
        assert part["podDisruptionBudget"]["enabled"] is budget
    assert given["leaderElect"] is True


def test_what_is_not_used_is_off() -> None:
    given = values()
    assert [given[key] for key in given if key.startswith("process")] == [False] * 5
    assert set(given["crds"].values()) == {False}
    used = values(cluster_stores=True, push_secrets=True)
    assert used["processClusterStore"]
    assert used["crds"]["createClusterSecretStore"]
    assert used["processPushSecret"]
    assert used["crds"]["createPushSecret"]
    assert not used["processClusterExternalSecret"]
    assert not used["processClusterPushSecret"]


def test_the_stand_in_is_named_only_when_given() -> None:
    assert values()["extraEnv"] == []
    assert {e["value"] for e in values(aws_endpoint="http://10.77.0.2:5000")["extraEnv"]} == {
        "http://10.77.0.2:5000"
    }


def narrowed(name: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    result = narrow_rights(
        pulumi.ResourceTransformArgs(
            custom=True,
            type_=CLUSTER_ROLE,
            name=name,
            props={"metadata": {"name": name}, "rules": rules},
            opts=pulumi.ResourceOptions(),
        )
    )
    assert result is not None
    kept: Any = result.props
    assert kept["metadata"] == {"name": name}
    rules_kept: list[dict[str, Any]] = kept["rules"]
    return rules_kept


def rule(*resources: str, verbs: tuple[str, ...] = ("get",)) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}


def test_tokens_of_every_account_are_taken_out_wherever_they_stand() -> None:
    alone, beside = rule("serviceaccounts/token"), rule("events", "serviceaccounts/token")
    kept = narrowed("external-secrets-controller", [rule("secrets"), alone, beside])
    assert kept == [rule("secrets"), rule("events")]


def test_the_certificate_controller_loses_secrets_and_writing_crds() -> None:
    crds = rule("customresourcedefinitions", verbs=("get", "watch", "update", "patch"))
    kept = narrowed("external-secrets-cert-controller", [rule("secrets"), crds])
    assert kept == [rule("customresourcedefinitions", verbs=("get", "watch"))]


def test_other_objects_of_the_chart_are_left_alone() -> None:
    other = pulumi.ResourceTransformArgs(
        custom=True, type_=ROLE, name="x", props={"rules": []}, opts=pulumi.ResourceOptions()
    )
    assert narrow_rights(other) is None


def test_no_operator_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="replicas: 0 runs no operator"):
        OperatorValues(image=IMAGE, replicas=0)
