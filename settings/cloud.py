"""Which cloud stands behind the cluster, and where in it.

Holds no credential: the deployer's and Vault's identities come from the platform.
"""

from __future__ import annotations

from enum import StrEnum

from settings.base import Section, setting
from settings.types import AnyUrl, AwsAccount, AwsRegion, GcpProject, Text


class Cloud(StrEnum):
    """Where keys and rotating cloud secrets live."""

    NONE = "none"
    AWS = "aws"
    GCP = "gcp"


class Aws(Section):
    """Amazon Web Services."""

    region: AwsRegion = setting(
        why="keys and secrets are created there, and Vault unseals against it",
        write="eu-central-1",
    )
    endpoint: AnyUrl | None = setting(
        None,
        why="it replaces AWS by a stand-in on this machine",
        write="http://127.0.0.1:5000, or nothing for the real AWS",
    )
    account_id: AwsAccount | None = setting(
        None,
        why="a deployment with another account's credentials is refused before it changes anything",
        write='"123456789012" (quoted, 12 digits)',
    )


class Gcp(Section):
    """Google Cloud."""

    project: GcpProject = setting(
        why="keys and secrets are created in that project", write="example-project"
    )
    region: Text = setting(
        why="the key ring's location cannot be changed later",
        write="europe-west3",
        pattern=r"^[a-z]+[a-z0-9-]*$",
    )
