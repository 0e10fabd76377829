"""Cloud identities of Kubernetes accounts: a role or account for exactly one of them, no keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.base import Section, setting
from settings.engines import PolicyArn
from settings.types import AWS, BucketName, Duration, GcpProject, Label, Text

# AWS takes names of 64 characters; the role's begins with `strongroom-local-` at the longest.
LONGEST_ROLE_NAME = 47

OidcProvider = Annotated[
    Text, Field(pattern=rf"^{AWS}:iam::\d{{12}}:oidc-provider/[\w.-]+(/[\w.-]+)*$")
]


class _Identity(Section):
    namespace: Label = setting(why="only an account there takes it on", write="ml-training")
    account: Label = setting(
        why="only that account takes it on; no pattern is possible", write="ml-app-sa"
    )


class AwsRole(_Identity):
    """An IAM role."""

    name: Label = setting(
        why="the role is called after it", write="ml-tracking", max_length=LONGEST_ROLE_NAME
    )
    buckets: tuple[BucketName, ...] = setting(
        (), why="it reads these buckets", write="[example-training-data]"
    )


class AwsIdentities(Section):
    """IAM roles for accounts of one cluster."""

    provider: OidcProvider = setting(
        why="it vouches for the cluster's tokens",
        write="arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/…",
    )
    boundary: PolicyArn | None = setting(
        None,
        why="no role gets more than it allows, whatever its own policies say",
        write="arn:aws:iam::123456789012:policy/workload-boundary",
    )
    session: Duration = setting(
        Duration.parse("1h"), why="stolen credentials of a session work that long", write="1h"
    )
    roles: tuple[AwsRole, ...] = setting(
        why="each is made for its account",
        write="[{name: ml-tracking, namespace: ml-training, account: ml-app-sa}]",
        min_length=1,
    )


class GoogleIdentity(_Identity):
    """A Google service account."""

    name: Annotated[Text, Field(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")] = setting(
        why="the Google account is called so", write="ml-tracking"
    )


class GoogleIdentities(Section):
    """Google accounts for accounts of one cluster."""

    cluster_project: GcpProject = setting(
        why="the cluster's tokens are those of that project's pool", write="example-project"
    )
    accounts: tuple[GoogleIdentity, ...] = setting(
        why="each is made for its account",
        write="[{name: ml-tracking, namespace: ml-training, account: ml-app-sa}]",
        min_length=1,
    )


class Identities(Section):
    """Cloud identities of Kubernetes accounts."""

    aws: AwsIdentities | None = setting(
        None, why="pods act as these roles", write="{provider: arn:…, roles: […]}"
    )
    google: GoogleIdentities | None = setting(
        None, why="pods act as these accounts", write="{clusterProject: …, accounts: […]}"
    )
