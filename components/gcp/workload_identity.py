"""A Google service account that one Kubernetes account acts as. Owns both sides, and no key.

A key of a service account is a password that never changes; none is made here. What the account
may do is granted where the resource is, for example by `RotatingSecret.readers`.
Source: Google Cloud, "Workload Identity Federation for GKE".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.vault.inputs import refuse

USE = "roles/iam.workloadIdentityUser"


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentityArgs:
    """`account_id` is the Google account's name in `project`; `pool_project` the cluster's project.

    `namespace` and `account` name the one Kubernetes account. Raises ValueError.
    """

    project: str
    account_id: str
    pool_project: str
    namespace: str
    account: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", self.account_id):
            raise refuse(
                "account_id",
                self.account_id,
                "is no name of a service account; Google would refuse it",
                "Use 6 to 30 lower-case letters, digits and dashes",
            )
        for name in ("project", "pool_project"):
            if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", getattr(self, name)):
                raise refuse(
                    name,
                    getattr(self, name),
                    "is no project; tokens of another cluster could be let in",
                    "Write it like example-project",
                )
        for name in ("namespace", "account"):
            if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", getattr(self, name)):
                raise refuse(
                    name,
                    getattr(self, name),
                    "is a pattern or no name; accounts that nobody has thought of would be let in",
                    "Name one, for example ml-training",
                )

    @property
    def email(self) -> str:
        """The account's address, known before it is made."""
        return f"{self.account_id}@{self.project}.iam.gserviceaccount.com"

    @property
    def member(self) -> str:
        """The one Kubernetes account, as Google's IAM names it."""
        return f"serviceAccount:{self.pool_project}.svc.id.goog[{self.namespace}/{self.account}]"


class WorkloadIdentity(pulumi.ComponentResource):
    """Produces the account and who acts as it.

    `email` is known before anything is deployed: it goes into the Kubernetes account's annotation
    `iam.gke.io/gcp-service-account`. Who needs the account to be there waits for this component.
    """

    email: str

    def __init__(
        self, name: str, args: WorkloadIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("strongroom:gcp:WorkloadIdentity", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.email = args.email
        account = gcp.serviceaccount.Account(
            f"{name}-account",
            project=args.project,
            account_id=args.account_id,
            display_name=f"Acted as by {args.account} of namespace {args.namespace}",
            opts=child,
        )
        # A binding has the last word on its role: no other account acts as this one.
        gcp.serviceaccount.IAMBinding(
            f"{name}-use",
            service_account_id=account.name,
            role=USE,
            members=[args.member],
            opts=child,
        )
        self.register_outputs({"email": self.email})
