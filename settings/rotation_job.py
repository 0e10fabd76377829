"""When the cluster itself carries rotations out, and as whom."""

from __future__ import annotations

from settings.base import Section, setting
from settings.kubernetes import Endpoint
from settings.types import Cron, RoleArn
from settings.vault import Image


class RotationJob(Section):
    """The job that runs `strongroom rotate run`."""

    schedule: Cron = setting(
        "17 * * * *",
        why="a rotation begins, and goes on from step to step, at these times (UTC)",
        write='"17 * * * *"',
    )
    image: Image = setting(
        why="the job runs the command line that is in it; the Dockerfile here builds one",
        write="{repository: registry.example.com/strongroom, tag: 1.0.0}",
    )
    endpoints: tuple[Endpoint, ...] = setting(
        (),
        why="network policies let the job reach AWS there, beside the databases of `network`",
        write='[{cidrs: ["10.0.0.0/16"], port: 443}]',
    )
    identity: RoleArn | None = setting(
        None,
        why="the job rotates AWS's credentials as that IAM role, without stored keys",
        write="arn:aws:iam::123456789012:role/strongroom-prod-rotation",
    )
