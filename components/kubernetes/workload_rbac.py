"""What one workload may do at the API server: read the Secrets named, perhaps start Jobs.

Owns the ServiceAccount, its Role and the binding. What the same account may read in Vault is a
grant's matter. Nobody gets `list` or `watch` on Secrets: those return every Secret's contents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.labels import standard_labels

RBAC_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class WorkloadAccessArgs:
    """`account` in `namespace` may get exactly `secret_names`, and run Jobs when `jobs` is set.

    `cloud_identity` are the annotations by which a cloud knows the account.
    """

    account: str
    namespace: pulumi.Input[str]
    secret_names: tuple[str, ...] = ()
    jobs: bool = False
    cloud_identity: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if wild := [name for name in self.secret_names if "*" in name or not name]:
            raise ValueError(
                f"secret_names: {wild[0]!r} names no Secret; RBAC has no patterns, so the rule "
                "would match nothing, or everything when empty. Name each Secret."
            )


class WorkloadAccess(pulumi.ComponentResource):
    """Produces a ServiceAccount and, where something is granted, a Role and a RoleBinding."""

    account_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: WorkloadAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:WorkloadAccess", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        labels = standard_labels("workload-access")
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.account,
                namespace=args.namespace,
                labels=labels,
                annotations=dict(args.cloud_identity) or None,
            ),
            # A pod that needs a token asks for one with an audience; none gets one by accident.
            automount_service_account_token=False,
            opts=child,
        )
        self.account_name = account.metadata.name
        if rules := rules_of(args):
            base = args.account.removesuffix("-sa")
            role = k8s.rbac.v1.Role(
                f"{name}-role",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=f"{base}-role", namespace=args.namespace, labels=labels
                ),
                rules=rules,
                opts=child,
            )
            k8s.rbac.v1.RoleBinding(
                f"{name}-binding",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=f"{base}-rolebinding", namespace=args.namespace, labels=labels
                ),
                role_ref=k8s.rbac.v1.RoleRefArgs(
                    api_group=RBAC_GROUP, kind="Role", name=role.metadata.name
                ),
                subjects=[
                    k8s.rbac.v1.SubjectArgs(
                        kind="ServiceAccount", name=self.account_name, namespace=args.namespace
                    )
                ],
                opts=child,
            )
        self.register_outputs({"account_name": self.account_name})


def rules_of(args: WorkloadAccessArgs) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """The Role's rules; none when nothing is granted."""
    rules = []
    if args.secret_names:
        rules.append(
            k8s.rbac.v1.PolicyRuleArgs(
                api_groups=[""],
                resources=["secrets"],
                resource_names=list(args.secret_names),
                verbs=["get"],
            )
        )
    if args.jobs:
        rules.append(
            k8s.rbac.v1.PolicyRuleArgs(
                api_groups=["batch"],
                resources=["jobs"],
                verbs=["create", "get", "list", "watch"],
            )
        )
    return rules
