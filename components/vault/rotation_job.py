"""Rotations on a schedule, by an identity that may do nothing else.

Owns the CronJob that runs `strongroom rotate run`, and who it is: a Vault role bound to its service
account and an audience of its own, with a policy of exactly the paths handed in; in Kubernetes, a
Role in each namespace of a consumer. A failed Job is the alarm; alert on `kube_job_status_failed`.

No credential is in the pod's definition. What the pod is told, the stack's settings, holds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

import pulumi
import pulumi_kubernetes as k8s
import pulumi_vault as vault

from access.policy import Capability, PathRule, Policy
from access.policy_hcl import render
from components.kubernetes.cron_job import cron_job_spec
from components.kubernetes.labels import standard_labels
from components.kubernetes.workload_rbac import RBAC_GROUP
from components.vault.pod_values import Image
from components.vault.rotation_pod import (
    KUBECONFIG,
    KUBECONFIG_FILE,
    RUN_SECONDS,
    SETTINGS_FILE,
    rotation_pod,
)

Paths = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A workload (`deployment/mlflow`) whose pods are looked at before an old credential ends.

    `rolls_out` lets the job start a rollout, `asks_pods` lets it call the pods' endpoints,
    `external_secret` lets it see when that was refreshed.
    """

    namespace: str
    workload: str
    rolls_out: bool = False
    asks_pods: bool = False
    external_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class RotationJobArgs:
    """`identity` names the service account, the audience and the role, `paths` is its policy.

    `settings` is a stack file's text, `files` what that text names, by name. `schedule` is a cron
    expression in UTC, `auth_path` the workloads' Kubernetes auth mount, `cloud_identity` the
    annotations that give the account a cloud's identity. The component needs a Kubernetes and a
    Vault provider in its options.
    """

    namespace: pulumi.Input[str]
    image: Image
    schedule: str
    identity: str
    auth_path: pulumi.Input[str]
    paths: Paths
    settings: str
    files: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    followed: tuple[Followed, ...] = ()
    cloud_identity: Mapping[str, str] = field(default_factory=dict)
    release: str = "vault"

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError("paths: is empty; the job could not even log out. Give its policy.")


class RotationJob(pulumi.ComponentResource):
    """Produces the identity in Kubernetes and Vault, a ConfigMap, and the CronJob."""

    cron_job: pulumi.Output[str]

    def __init__(
        self, name: str, args: RotationJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Rotation", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(args.identity, annotations=args.cloud_identity),
            automount_service_account_token=False,
            opts=self._child,
        ).metadata.name
        self._role_in_vault(account)
        for namespace, followed in groupby(
            sorted(args.followed, key=lambda one: one.namespace), key=lambda one: one.namespace
        ):
            self._role_in_kubernetes(namespace, tuple(followed), account)
        told = k8s.core.v1.ConfigMap(
            f"{name}-settings",
            metadata=self._metadata(f"{args.identity}-settings"),
            data={SETTINGS_FILE: args.settings, KUBECONFIG_FILE: KUBECONFIG, **args.files},
            opts=self._child,
        ).metadata.name
        self.cron_job = k8s.batch.v1.CronJob(
            f"{name}-run",
            metadata=self._metadata(args.identity),
            spec=cron_job_spec(
                args.schedule,
                rotation_pod(
                    image=args.image.reference(),
                    release=args.release,
                    account=account,
                    audience=args.identity,
                    settings=told,
                    asks_kubernetes=bool(args.followed),
                ),
                labels=self._labels,
                seconds=RUN_SECONDS,
                retries=0,  # the next run goes on where this one stopped
            ),
            opts=self._child,
        ).metadata.name
        self.register_outputs({"cron_job": self.cron_job})

    def _role_in_vault(self, account: pulumi.Input[str]) -> None:
        args = self._args
        child = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        rules = tuple(
            PathRule(path=path, capabilities=frozenset(Capability(one) for one in capabilities))
            for path, capabilities in sorted(args.paths.items())
        )
        policy = vault.Policy(
            f"{self._name}-policy",
            name=args.identity,
            policy=render(Policy(name=args.identity, rules=rules)),
            opts=child,
        )
        vault.kubernetes.AuthBackendRole(
            f"{self._name}-role",
            backend=args.auth_path,
            role_name=args.identity,
            bound_service_account_names=[account],
            bound_service_account_namespaces=[args.namespace],
            audience=args.identity,
            alias_name_source="serviceaccount_uid",
            token_policies=[policy.name],
            token_no_default_policy=True,
            token_ttl=RUN_SECONDS,
            token_max_ttl=RUN_SECONDS,
            opts=child,
        )

    def _role_in_kubernetes(
        self, namespace: str, followed: tuple[Followed, ...], account: pulumi.Input[str]
    ) -> None:
        role = k8s.rbac.v1.Role(
            f"{self._name}-{namespace}-role",
            metadata=self._metadata(self._args.identity, namespace=namespace),
            rules=rules_of(followed),
            opts=self._child,
        )
        k8s.rbac.v1.RoleBinding(
            f"{self._name}-{namespace}-binding",
            metadata=self._metadata(self._args.identity, namespace=namespace),
            role_ref=k8s.rbac.v1.RoleRefArgs(
                api_group=RBAC_GROUP, kind="Role", name=role.metadata.name
            ),
            subjects=[
                k8s.rbac.v1.SubjectArgs(
                    kind="ServiceAccount", name=account, namespace=self._args.namespace
                )
            ],
            opts=self._child,
        )

    @property
    def _labels(self) -> dict[str, str]:
        return standard_labels("rotation")

    def _metadata(
        self,
        object_name: str,
        *,
        namespace: pulumi.Input[str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=object_name,
            namespace=namespace or self._args.namespace,
            labels=self._labels,
            annotations=dict(annotations) if annotations else None,
        )


def rules_of(followed: tuple[Followed, ...]) -> list[k8s.rbac.v1.PolicyRuleArgs]:
    """What following needs in one namespace. Pods have no lasting names: these are listed."""
    rules = [_rule("", "pods", ["list"])]
    if any(one.asks_pods for one in followed):
        rules.append(_rule("", "pods/proxy", ["get"]))
    for one in sorted(followed, key=lambda f: f.workload):
        kind, _, name = one.workload.partition("/")
        verbs = ["get", "patch"] if one.rolls_out else ["get"]
        rules.append(_rule("apps", f"{kind}s", verbs, name))
        if one.external_secret:
            rules.append(
                _rule("external-secrets.io", "externalsecrets", ["get"], one.external_secret)
            )
    return rules


def _rule(
    group: str, resource: str, verbs: list[str], name: str | None = None
) -> k8s.rbac.v1.PolicyRuleArgs:
    return k8s.rbac.v1.PolicyRuleArgs(
        api_groups=[group],
        resources=[resource],
        verbs=verbs,
        resource_names=[name] if name else None,
    )
