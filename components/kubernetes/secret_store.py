"""A secret store, and the operator's right to log in as exactly the account it names.

Owns SecretStore and ClusterSecretStore. A store of one namespace is the normal case. One that
several namespaces share reads for all of them with one identity: ESO keeps no tenants' keys apart
there, so the namespaces are named, never matched by a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.external_secrets import OperatorIdentity
from components.kubernetes.labels import standard_labels
from components.kubernetes.store_providers import LoginAccount, StoreProvider
from components.kubernetes.workload_rbac import RBAC_GROUP
from components.vault import inputs

API_VERSION = "external-secrets.io/v1"
# The engine goes on when the operator has logged in, or says why it could not.
WAIT_READY = {"pulumi.com/waitFor": "condition=Ready"}
LABELS = standard_labels("secret-store")


class StoreKind(StrEnum):
    """Who may use a store: its own namespace, or those it names."""

    NAMESPACE = "SecretStore"
    CLUSTER = "ClusterSecretStore"


@dataclass(frozen=True, kw_only=True)
class StoreRef:
    """A store as an ExternalSecret names it."""

    name: str
    kind: StoreKind = StoreKind.NAMESPACE


@dataclass(frozen=True, kw_only=True)
class SecretStoreArgs:
    """`account` logs in; with a cloud provider it is made here, otherwise it is a workload's own.

    `operator` is the identity that External Secrets Operator runs as. `wait` lets the deployment go
    on only when the operator has logged in; `waits` must exist before, the operator among them.
    """

    store_name: str
    namespace: pulumi.Input[str]
    provider: StoreProvider
    account: str
    operator: OperatorIdentity
    wait: bool = True
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        inputs.exact("account", [self.account], example="ml-app-sa")


@dataclass(frozen=True, kw_only=True)
class ClusterSecretStoreArgs(SecretStoreArgs):
    """`namespace` is the account's; `shared_with` are the namespaces that may use the store."""

    shared_with: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs.exact("shared_with", self.shared_with, example="ml-training")


class SecretStore(pulumi.ComponentResource):
    """Produces the store of one namespace, with the Role that lets the operator log in."""

    ref: StoreRef

    def __init__(
        self, name: str, args: SecretStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:SecretStore", name, {}, opts)
        account = LoginAccount(name=args.account)
        _store(self, name, args, StoreKind.NAMESPACE, args.provider.spec(account), {})
        self.ref = StoreRef(name=args.store_name)
        self.register_outputs({})


class ClusterSecretStore(pulumi.ComponentResource):
    """Produces a store that the named namespaces share, with the operator's right to log in."""

    ref: StoreRef

    def __init__(
        self, name: str, args: ClusterSecretStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:ClusterSecretStore", name, {}, opts)
        account = LoginAccount(name=args.account, namespace=args.namespace)
        conditions = {"conditions": [{"namespaces": list(args.shared_with)}]}
        _store(self, name, args, StoreKind.CLUSTER, args.provider.spec(account), conditions)
        self.ref = StoreRef(name=args.store_name, kind=StoreKind.CLUSTER)
        self.register_outputs({})


def _store(
    parent: pulumi.Resource,
    name: str,
    args: SecretStoreArgs,
    kind: StoreKind,
    provider: dict[str, Any],
    conditions: dict[str, Any],
) -> None:
    own = {"namespace": args.namespace} if kind is StoreKind.NAMESPACE else {}
    k8s.apiextensions.CustomResource(
        f"{name}-store",
        api_version=API_VERSION,
        kind=str(kind),
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=args.store_name,
            labels=LABELS,
            annotations=WAIT_READY if args.wait else None,
            **own,
        ),
        spec={"provider": provider, **conditions},
        opts=pulumi.ResourceOptions(
            parent=parent, depends_on=[*args.waits, *_login(parent, name, args)]
        ),
    )


def _login(parent: pulumi.Resource, name: str, args: SecretStoreArgs) -> list[pulumi.Resource]:
    """What must exist before the operator can log in: the account, and its right to its token."""
    made: list[pulumi.Resource] = []
    if args.provider.annotations:
        made.append(
            k8s.core.v1.ServiceAccount(
                f"{name}-account",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=args.account,
                    namespace=args.namespace,
                    labels=LABELS,
                    annotations=dict(args.provider.annotations),
                ),
                automount_service_account_token=False,
                opts=pulumi.ResourceOptions(parent=parent),
            )
        )
    metadata = k8s.meta.v1.ObjectMetaArgs(
        name=f"{args.store_name}-login", namespace=args.namespace, labels=LABELS
    )
    role = k8s.rbac.v1.Role(
        f"{name}-login-role",
        metadata=metadata,
        rules=[
            k8s.rbac.v1.PolicyRuleArgs(
                api_groups=[""],
                resources=["serviceaccounts/token"],
                resource_names=[args.account],
                verbs=["create"],
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    binding = k8s.rbac.v1.RoleBinding(
        f"{name}-login-binding",
        metadata=metadata,
        role_ref=k8s.rbac.v1.RoleRefArgs(
            api_group=RBAC_GROUP, kind="Role", name=role.metadata.name
        ),
        subjects=[
            k8s.rbac.v1.SubjectArgs(
                kind="ServiceAccount", name=args.operator.name, namespace=args.operator.namespace
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return [*made, binding]
