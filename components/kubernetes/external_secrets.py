"""External Secrets Operator: copies from secret stores into Secrets, with rights of its own only.

Owns the operator's deployment. Stores, and which account the operator may log in as for each, are
secret_store.py; what is copied is external_secret.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.external_secrets_values import (
    CERT_CONTROLLER,
    RELEASE,
    WEBHOOK_SECRET,
    OperatorValues,
    narrow_rights,
    operator_values,
)
from components.kubernetes.helm_chart import helm_chart
from components.kubernetes.labels import standard_labels
from components.kubernetes.network_access import Destination
from components.kubernetes.network_policy import allow
from components.kubernetes.workload_rbac import RBAC_GROUP
from components.vault.cluster import ChartSource

LABELS = standard_labels("external-secrets")
OPERATOR_PODS = {"app.kubernetes.io/name": "external-secrets"}


@dataclass(frozen=True, kw_only=True)
class OperatorIdentity:
    """The service account that the operator runs as."""

    name: str
    namespace: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class ExternalSecretsArgs:
    """`stores` are the addresses of cloud stores; Vault and the API server are open already.

    With `protect` ExternalSecrets that others made, and their Secrets, outlive the operator.
    """

    namespace: pulumi.Input[str]
    values: OperatorValues
    chart: ChartSource
    stores: tuple[Destination, ...] = ()
    protect: bool = False
    waits: Sequence[pulumi.Resource] = ()


class ExternalSecretsOperator(pulumi.ComponentResource):
    """Produces the chart's resources, a Role for the webhook's certificate, a NetworkPolicy."""

    identity: OperatorIdentity
    ready: pulumi.Output[bool]
    """True once every resource of the chart has been applied and its pods are available."""

    def __init__(
        self, name: str, args: ExternalSecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:ExternalSecrets", name, {}, opts)
        # The certificate controller starts with the chart: its right must be there before.
        binding = self._may_write_certificate(name, args.namespace)
        chart = helm_chart(
            f"{name}-chart",
            release=RELEASE,
            chart="external-secrets",
            source=args.chart,
            namespace=args.namespace,
            values=operator_values(args.values),
            parent=self,
            waits=[*args.waits, binding],
            transforms=[narrow_rights],
            keeps_definitions=args.protect,
        )
        if args.stores:
            allow(
                f"{name}-to-stores",
                "allow-to-stores",
                namespace=args.namespace,
                parent=self,
                pods=OPERATOR_PODS,
                egress=[store.flow() for store in args.stores],
            )
        self.identity = OperatorIdentity(name=RELEASE, namespace=args.namespace)
        self.ready = chart.resources.apply(lambda _: True)
        self.register_outputs({"ready": self.ready})

    def _may_write_certificate(
        self, name: str, namespace: pulumi.Input[str]
    ) -> k8s.rbac.v1.RoleBinding:
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=f"{CERT_CONTROLLER}-certificate", namespace=namespace, labels=LABELS
        )
        role = k8s.rbac.v1.Role(
            f"{name}-certificate-role",
            metadata=metadata,
            rules=[
                k8s.rbac.v1.PolicyRuleArgs(
                    api_groups=[""],
                    resources=["secrets"],
                    resource_names=[WEBHOOK_SECRET],
                    verbs=["get", "update", "patch"],
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return k8s.rbac.v1.RoleBinding(
            f"{name}-certificate-binding",
            metadata=metadata,
            role_ref=k8s.rbac.v1.RoleRefArgs(
                api_group=RBAC_GROUP, kind="Role", name=role.metadata.name
            ),
            subjects=[
                k8s.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=CERT_CONTROLLER, namespace=namespace
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
