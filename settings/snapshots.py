"""When Raft snapshots are taken, how many are kept, and where they go."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from settings.base import Section, setting
from settings.types import BucketName, Count, Cron, Duration, Flag, Quantity, Text, between


class Destination(StrEnum):
    """Where snapshots are kept."""

    VOLUME = "volume"
    S3 = "s3"
    GCS = "gcs"


class Snapshots(Section):
    """The snapshot job."""

    enabled: Flag = setting(
        True, why="without snapshots a lost quorum loses every secret", write="true"
    )
    schedule: Cron = setting(
        why="everything written since the last snapshot is what a restore loses",
        write='"0 */6 * * *"',
    )
    retain: Count = setting(why="older snapshots are deleted", write="14", ge=1)
    max_age: Annotated[Duration, between("15m", "365d")] = setting(
        why="a newest snapshot older than this raises an alarm, by a check every 15 minutes",
        write="12h",
    )
    destination: Destination = setting(
        Destination.VOLUME, why="it must outlive the cluster to be of use", write="s3"
    )
    bucket: BucketName | None = setting(
        None, why="snapshots in object storage go there", write="example-strongroom-snapshots"
    )
    prefix: Text = setting(
        "vault/",
        why="it separates clusters in one bucket",
        write="vault/, with a slash at its end",
        pattern=r"^([\w.=-]+/)+$",
    )
    identity: Text | None = setting(
        None,
        why="the job stores snapshots as that IAM role or Google account, without stored keys",
        write="arn:aws:iam::123456789012:role/strongroom-prod-snapshots",
    )
    size: Quantity | None = setting(
        None, why="the volume must hold every snapshot that is kept", write="10Gi"
    )
