"""Raft snapshots on a schedule, by an identity that may do nothing else, and an alarm without one.

Owns two CronJobs. The first takes, verifies and keeps a snapshot. The second looks at what is kept
every quarter of an hour and fails while the newest snapshot is older than `max_age_seconds`: it
speaks up as well when the first was suspended or never ran. A failed Job is the alarm; alert on
`kube_job_status_failed`. It fails from the first deployment until the first snapshot too, since a
Vault without a snapshot has none: `kubectl create job --from=cronjob/…` takes one at once.

The identity is a service account without API token, a Vault role bound to it and to an audience of
its own, and a policy with `read` on the snapshot. Its Vault token is a batch token: it leaves no
lease behind and ends with the job's deadline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_vault as vault

from access.policy import Capability, PathRule, Policy
from access.policy_hcl import render
from components.kubernetes.cron_job import cron_job_spec
from components.kubernetes.labels import standard_labels
from components.vault.pod_values import Image
from components.vault.snapshot_destinations import Destination, ToVolume
from components.vault.snapshot_pods import CHECK_SECONDS, SAVE_SECONDS, checking_pod, saving_pod
from components.vault.values import SKIP_AWAIT

IDENTITY = "strongroom-snapshots"
CHECK_SCHEDULE = "*/15 * * * *"
CHECK_INTERVAL_SECONDS = 900
SNAPSHOT_POLICY = Policy(
    name=IDENTITY,
    rules=(PathRule(path="sys/storage/raft/snapshot", capabilities=frozenset({Capability.READ})),),
)


@dataclass(frozen=True, kw_only=True)
class SnapshotJobArgs:
    """`schedule` is a cron expression in UTC; `image` Vault's own, for its client and its shell.

    `auth_path` is the workloads' Kubernetes auth mount. The component needs a Kubernetes and a
    Vault provider in its options.
    """

    namespace: pulumi.Input[str]
    image: Image
    auth_path: pulumi.Input[str]
    schedule: str
    max_age_seconds: int
    destination: Destination
    release: str = "vault"

    def __post_init__(self) -> None:
        if self.max_age_seconds < CHECK_INTERVAL_SECONDS:
            raise ValueError(
                f"max_age_seconds: {self.max_age_seconds} is shorter than the "
                f"{CHECK_INTERVAL_SECONDS} s between two checks; the alarm would be false or late. "
                "Make it about twice the schedule's interval."
            )


class SnapshotJob(pulumi.ComponentResource):
    """Produces the identity in Kubernetes and Vault, the volume if any, and two CronJobs."""

    cron_job: pulumi.Output[str]
    """The name of the CronJob that takes snapshots."""

    def __init__(
        self, name: str, args: SnapshotJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:vault:Snapshots", name, {}, opts)
        self._name, self._args = name, args
        destination = args.destination
        account = k8s.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(
                IDENTITY,
                {} if isinstance(destination, ToVolume) else destination.account_annotations,
            ),
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=self),
        ).metadata.name
        claim = self._claim(destination) if isinstance(destination, ToVolume) else None
        image = args.image.reference()
        saving = self._cron_job(
            "save",
            f"{args.release}-snapshots",
            args.schedule,
            saving_pod(
                image=image,
                release=args.release,
                account=account,
                audience=IDENTITY,
                auth_path=args.auth_path,
                role=self._role(account),
                destination=destination,
                claim=claim,
            ),
            seconds=SAVE_SECONDS,
            retries=2,
        )
        self._cron_job(
            "check",
            f"{args.release}-snapshots-check",
            CHECK_SCHEDULE,
            checking_pod(
                image=image,
                account=account,
                destination=destination,
                claim=claim,
                max_age_seconds=args.max_age_seconds,
            ),
            seconds=CHECK_SECONDS,
            retries=0,
        )
        self.cron_job = saving.metadata.name
        self.register_outputs({"cron_job": self.cron_job})

    def _role(self, account: pulumi.Input[str]) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        policy = vault.Policy(
            f"{self._name}-policy", name=IDENTITY, policy=render(SNAPSHOT_POLICY), opts=child
        )
        role: pulumi.Output[str] = vault.kubernetes.AuthBackendRole(
            f"{self._name}-role",
            backend=self._args.auth_path,
            role_name=IDENTITY,
            bound_service_account_names=[account],
            bound_service_account_namespaces=[self._args.namespace],
            audience=IDENTITY,
            alias_name_source="serviceaccount_uid",
            token_type="batch",  # noqa: S106 -- a kind of token
            token_policies=[policy.name],
            token_no_default_policy=True,
            token_ttl=SAVE_SECONDS,
            token_max_ttl=SAVE_SECONDS,
            opts=child,
        ).role_name
        return role

    def _claim(self, volume: ToVolume) -> pulumi.Output[str]:
        # Many storage classes make a volume only when a pod first wants it: nothing to wait for.
        claim: pulumi.Output[str] = k8s.core.v1.PersistentVolumeClaim(
            f"{self._name}-volume",
            metadata=self._metadata(f"{self._args.release}-snapshots", SKIP_AWAIT),
            spec={
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": volume.size}},
                **({"storageClassName": volume.storage_class} if volume.storage_class else {}),
            },
            opts=pulumi.ResourceOptions(parent=self, protect=volume.protect),
        ).metadata.name
        return claim

    def _cron_job(
        self,
        part: str,
        object_name: str,
        schedule: str,
        pod: dict[str, Any],
        *,
        seconds: int,
        retries: int,
    ) -> k8s.batch.v1.CronJob:
        return k8s.batch.v1.CronJob(
            f"{self._name}-{part}",
            metadata=self._metadata(object_name),
            spec=cron_job_spec(
                schedule, pod, labels=self._labels, seconds=seconds, retries=retries
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    @property
    def _labels(self) -> dict[str, str]:
        return standard_labels("vault-snapshots")

    def _metadata(
        self, object_name: str, annotations: dict[str, str] | None = None
    ) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=object_name,
            namespace=self._args.namespace,
            labels=self._labels,
            annotations=annotations or None,
        )
