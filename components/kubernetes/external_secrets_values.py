"""Helm values for External Secrets Operator, and what is taken out of the chart's rights.

Owns the keys of the official chart (0.20 and later) that this project sets. Reconcilers that nobody
uses are off, and with them their CRDs and rights.

The chart gives the operator tokens of every service account of the cluster: whoever takes it over
is everybody. From 2.0 a value switches that off; older charts have no such value, so the rule is
taken out of the ClusterRole as well. A store's component grants the one account it logs in as.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.vault.pod_values import Image, Resources

RELEASE = "external-secrets"
WEBHOOK_SECRET = f"{RELEASE}-webhook"
CERT_CONTROLLER = "external-secrets-cert-controller"
CLUSTER_ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
USER = 65534

CONTAINER_SECURITY: dict[str, Any] = {
    "enabled": True,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, kw_only=True)
class OperatorValues:
    """`replicas` of the operator and its webhook; with 2 or more a disruption budget keeps one.

    `cluster_stores` and `push_secrets` switch on what shares a store between namespaces, and what
    writes into a store. `aws_endpoint` replaces AWS by the stand-in of `local`.
    """

    image: Image
    replicas: int
    cluster_stores: bool = False
    push_secrets: bool = False
    service_monitor: bool = False
    aws_endpoint: str | None = None
    resources: Resources = field(
        default_factory=lambda: Resources(
            memory="96Mi", cpu="25m", memory_limit="256Mi", cpu_limit="500m"
        )
    )

    def __post_init__(self) -> None:
        if self.replicas < 1:
            raise ValueError(
                f"replicas: {self.replicas} runs no operator; Secrets would stay as they are while "
                "their sources rotate. Use 1, or 2 where it must outlive a node."
            )


def operator_values(operator: OperatorValues) -> dict[str, Any]:
    """The chart's values, all known before anything is deployed."""
    shared = operator.cluster_stores
    pushes = operator.push_secrets
    pods = _pods(operator)
    spare = _spare(operator.replicas)
    return {
        "fullnameOverride": RELEASE,
        "installCRDs": True,
        "crds": {
            "createClusterExternalSecret": False,
            "createClusterGenerator": False,
            "createClusterPushSecret": False,
            "createClusterSecretStore": shared,
            "createPushSecret": pushes,
        },
        "processClusterExternalSecret": False,
        "processClusterGenerator": False,
        "processClusterPushSecret": False,
        "processClusterStore": shared,
        "processPushSecret": pushes,
        "rbac": {
            "create": True,
            "serviceAccountTokenCreate": False,
            # Whoever may edit a namespace could point an ExternalSecret at any store there.
            "aggregateToEdit": False,
            "servicebindings": {"create": False},
        },
        "openshiftFinalizers": False,
        "leaderElect": True,
        "replicaCount": operator.replicas,
        "extraEnv": _stand_in(operator.aws_endpoint),
        "serviceMonitor": {"enabled": operator.service_monitor},
        "livenessProbe": {"enabled": True},
        **pods,
        **spare,
        "webhook": {"replicaCount": operator.replicas, "failurePolicy": "Fail", **pods, **spare},
        "certController": {"replicaCount": 1, **pods},
    }


def narrow_rights(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Take out of the chart's ClusterRoles what no part of the operator needs cluster-wide.

    The operator: tokens of every account. The certificate controller: every Secret (it writes one,
    and has a Role for it), and changing CRDs (only for conversions, which v1 has none of).
    """
    if args.type_ != CLUSTER_ROLE:
        return None
    props: Mapping[str, Any] = args.props
    writes_certificates = (props.get("metadata") or {}).get("name") == CERT_CONTROLLER
    rules = [
        narrowed
        for rule in props.get("rules") or []
        if (narrowed := _narrowed(rule, writes_certificates))
    ]
    return pulumi.ResourceTransformResult(props={**props, "rules": rules}, opts=args.opts)


def _narrowed(rule: Mapping[str, Any], writes_certificates: bool) -> dict[str, Any] | None:
    taken = {"serviceaccounts/token"} | ({"secrets"} if writes_certificates else set())
    resources = [name for name in rule.get("resources") or [] if name not in taken]
    if not resources:
        return None
    verbs = list(rule.get("verbs") or [])
    if "customresourcedefinitions" in resources:
        verbs = [verb for verb in verbs if verb not in ("update", "patch")]
    return {**rule, "resources": resources, "verbs": verbs}


def _pods(operator: OperatorValues) -> dict[str, Any]:
    image = operator.image
    return {
        "image": {**image.values(), "flavour": ""},
        "resources": operator.resources.values(),
        "podSecurityContext": {
            "enabled": True,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "securityContext": CONTAINER_SECURITY,
    }


def _spare(replicas: int) -> dict[str, Any]:
    """A budget only where a pod may go: with one replica it would block every drain."""
    return {"podDisruptionBudget": {"enabled": replicas > 1, "minAvailable": 1}}


def _stand_in(endpoint: str | None) -> list[dict[str, str]]:
    if endpoint is None:
        return []
    names = ("AWS_SECRETSMANAGER_ENDPOINT", "AWS_STS_ENDPOINT")
    return [{"name": name, "value": endpoint} for name in names]
