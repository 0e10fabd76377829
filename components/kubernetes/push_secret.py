"""A PushSecret: keys of one Secret written into a store, once or whenever they change.

Owns the way back from the cluster into a store. The store's identity must be allowed to write,
which a store for reading is not: give pushing a store of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
import pulumi_kubernetes as k8s

from components.kubernetes.external_secret import go_duration
from components.kubernetes.labels import standard_labels
from components.kubernetes.secret_store import WAIT_READY, StoreRef

# PushSecret has no v1: it is v1alpha1 in every release so far.
API_VERSION = "external-secrets.io/v1alpha1"


class UpdatePolicy(StrEnum):
    """What happens to a value that the store has already."""

    IF_NOT_EXISTS = "IfNotExists"
    REPLACE = "Replace"


@dataclass(frozen=True, kw_only=True)
class PushSecretArgs:
    """`keys` maps keys of the Secret `secret_name` to names in the store.

    A value that the store has already stays, unless `update` is REPLACE. What was pushed stays in
    the store when this goes. `waits` must exist before, as the store must.
    """

    secret_name: str
    namespace: pulumi.Input[str]
    store: StoreRef
    keys: Mapping[str, str]
    update: UpdatePolicy = UpdatePolicy.IF_NOT_EXISTS
    refresh_seconds: int = 3600
    wait: bool = True
    waits: Sequence[pulumi.Resource] = ()

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError(
                f"keys: none given for {self.secret_name}; nothing would be pushed. Name each key "
                "and its name in the store."
            )


class PushSecret(pulumi.ComponentResource):
    """Produces the PushSecret."""

    def __init__(
        self, name: str, args: PushSecretArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:kubernetes:PushSecret", name, {}, opts)
        k8s.apiextensions.CustomResource(
            f"{name}-push",
            api_version=API_VERSION,
            kind="PushSecret",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=args.secret_name,
                namespace=args.namespace,
                labels=standard_labels("push-secret"),
                annotations=WAIT_READY if args.wait else None,
            ),
            spec={
                "refreshInterval": go_duration(args.refresh_seconds),
                "updatePolicy": str(args.update),
                "deletionPolicy": "None",
                "secretStoreRefs": [{"name": args.store.name, "kind": str(args.store.kind)}],
                "selector": {"secret": {"name": args.secret_name}},
                "data": [
                    {"match": {"secretKey": key, "remoteRef": {"remoteKey": remote}}}
                    for key, remote in args.keys.items()
                ],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.waits)),
        )
        self.register_outputs({})
