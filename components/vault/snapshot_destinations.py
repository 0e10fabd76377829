"""Where snapshots go, and who removes the old ones.

On a volume the job keeps the newest `retain`. In a bucket the bucket's own lifecycle rule removes
old ones: the job's identity may not delete, so that whoever takes it over cannot destroy backups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.vault.snapshot_scripts import (
    FRESH_GCS,
    FRESH_S3,
    FRESH_VOLUME,
    UPLOAD_GCS,
    UPLOAD_S3,
)

AWS_CLI = "amazon/aws-cli:2.32.9"
GOOGLE_CLOUD_CLI = "gcr.io/google.com/cloudsdktool/google-cloud-cli:525.0.0-slim"


@dataclass(frozen=True, kw_only=True)
class ToVolume:
    """A volume of the cluster: gone with it, so a bucket is better. `size` holds all `retain`.

    `protect` keeps the claim from being deleted by a deployment.
    """

    size: str
    retain: int
    storage_class: str | None = None
    protect: bool = False

    fresh_script = FRESH_VOLUME

    def __post_init__(self) -> None:
        if self.retain < 1:
            raise ValueError(
                f"retain: {self.retain} would delete each snapshot as soon as it is saved. Keep 1 "
                "or more."
            )


@dataclass(frozen=True, kw_only=True)
class _ToBucket:
    """`scratch` is the space for one snapshot on the node, while it is uploaded."""

    bucket: str
    prefix: str = "vault/"
    scratch: str = "2Gi"

    def __post_init__(self) -> None:
        if not self.bucket:
            raise ValueError("bucket: none given; snapshots would go nowhere. Name the bucket.")
        if not re.fullmatch(r"([\w.=-]+/)*", self.prefix):
            raise ValueError(
                f"prefix: {self.prefix!r} is no folder of a bucket; objects would not be found "
                "again. Write it as a/b/, with a slash at its end, or leave it empty."
            )


@dataclass(frozen=True, kw_only=True)
class ToS3(_ToBucket):
    """An S3 bucket. `role` is the IAM role that the job's service account assumes.

    It needs s3:PutObject below the prefix and s3:ListBucket; none with EKS Pod Identity. A
    lifecycle rule of the bucket expires old snapshots.
    """

    region: str
    role: str | None = None
    image: str = AWS_CLI

    upload_script, fresh_script = UPLOAD_S3, FRESH_S3

    @property
    def account_annotations(self) -> dict[str, str]:
        """What ties the service account to the role."""
        return {"eks.amazonaws.com/role-arn": self.role} if self.role else {}

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the containers that talk to S3."""
        return {"AWS_REGION": self.region}


@dataclass(frozen=True, kw_only=True)
class ToGcs(_ToBucket):
    """A Cloud Storage bucket. `service_account` is the Google account that the job acts as.

    It needs storage.objects.create and storage.objects.list. A lifecycle rule of the bucket deletes
    old snapshots.
    """

    service_account: str | None = None
    image: str = GOOGLE_CLOUD_CLI

    upload_script, fresh_script = UPLOAD_GCS, FRESH_GCS

    @property
    def account_annotations(self) -> dict[str, str]:
        """What ties the service account to the Google account."""
        annotation = "iam.gke.io/gcp-service-account"
        return {annotation: self.service_account} if self.service_account else {}

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the containers that talk to Cloud Storage."""
        return {"CLOUDSDK_CONFIG": "/tmp/gcloud", "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}  # noqa: S108 -- each pod's own


Destination = ToVolume | ToS3 | ToGcs
