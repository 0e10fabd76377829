"""External Secrets Operator: its stores, and which of their keys become Secrets.

Holds names and paths only. Stores log in with tokens of service accounts; there is no setting for a
stored credential.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Section, setting
from settings.kubernetes import Endpoint
from settings.types import (
    AnyUrl,
    ChartVersion,
    Count,
    Duration,
    Flag,
    Label,
    ObjectName,
    RoleArn,
    Text,
)
from settings.vault import ChartSource, Image

SecretKey = Annotated[Text, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]
GoogleAccount = Annotated[
    Text, Field(pattern=r"^[a-z][a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com$")
]


class Chart(Section):
    """The official Helm chart."""

    source: ChartSource = setting(
        ChartSource.REPOSITORY, why="it decides how `location` is read", write="repository"
    )
    location: Text = setting(
        "https://charts.external-secrets.io",
        why="the chart is fetched from there",
        write="https://charts.external-secrets.io",
    )
    version: ChartVersion | None = setting(
        "0.20.4", why="an unpinned chart changes the cluster by itself", write="0.20.4"
    )


class StoreType(StrEnum):
    """Where a store reads."""

    VAULT = "vault"
    AWS = "aws"
    GCP = "gcp"


class _Store(Section):
    name: Label = setting(why="secrets name the store they come from", write="vault-backend")
    namespace: Label = setting(
        why="the store, or the account of a shared one, is in that namespace", write="ml-training"
    )
    shared_with: tuple[Label, ...] = setting(
        (),
        why="namespaces that may use the store besides; then all of them read as one identity",
        write="[ml-training, ml-serving], or nothing for a store of its namespace alone",
    )
    wait: Flag = setting(
        True, why="a deployment ends only when the store has logged in", write="true"
    )


class VaultStore(_Store):
    """Vault's engine for written secrets, read with a grant."""

    type: Literal[StoreType.VAULT] = setting(why="it chooses the source", write="vault")
    grant: Label = setting(why="the store reads exactly what that grant gives", write="ml-app")
    account: Label = setting(why="the store logs in as it", write="ml-app-sa")


class AwsStore(_Store):
    """AWS Secrets Manager, read as an IAM role."""

    type: Literal[StoreType.AWS] = setting(why="it chooses the source", write="aws")
    role: RoleArn = setting(
        why="the store reads what that role may",
        write="arn:aws:iam::123456789012:role/strongroom-prod-ml-secrets",
    )
    account: Label = setting(
        "external-secrets-aws", why="an account of that name is made for the store", write="ml-aws"
    )


class GcpStore(_Store):
    """Google Secret Manager, read as a Google account."""

    type: Literal[StoreType.GCP] = setting(why="it chooses the source", write="gcp")
    service_account: GoogleAccount = setting(
        why="the store reads what that account may",
        write="ml-secrets@example-project.iam.gserviceaccount.com",
    )
    account: Label = setting(
        "external-secrets-gcp", why="an account of that name is made for the store", write="ml-gcp"
    )


Store = Annotated[VaultStore | AwsStore | GcpStore, Field(discriminator="type")]


class Key(Section):
    """One key of a Secret."""

    key: SecretKey = setting(why="the Secret has the value under it", write="db_password")
    remote: Text = setting(
        why="the store keeps the value there", write="secret/ml/mlflow, or ml/training/credentials"
    )
    property: Text | None = setting(
        None, why="it picks one part of what is kept there", write="password"
    )


class Secret(Section):
    """One Secret, copied from a store."""

    name: ObjectName = setting(why="it is the Secret's name", write="mlflow-credentials")
    namespace: Label = setting(why="the Secret is made there", write="ml-training")
    store: Label = setting(why="the values come from it", write="vault-backend")
    refresh: Duration = setting(
        Duration.parse("1h"), why="a rotated value arrives that late", write="1h"
    )
    data: tuple[Key, ...] = setting(
        (), why="these keys are copied", write="[{key: password, remote: secret/ml/mlflow}]"
    )
    extract: tuple[Text, ...] = setting(
        (),
        why="every key of these is copied, those written later too",
        write="[ml/training/credentials]",
    )
    generate: Text | None = setting(
        None,
        why="Vault makes new credentials of that role at each refresh",
        write="database/creds/ml-readonly",
    )
    template: dict[str, Text] = setting(
        {},
        why="keys are made of what was fetched, and only these are in the Secret",
        write='{url: "postgresql://{{ .username }}@postgres/mlflow"}',
    )
    wait: Flag = setting(
        True,
        why="a deployment ends only when the Secret is there",
        write="true, or false where its source is written after the deployment",
    )


class Push(Section):
    """Keys of a Secret, written into a store."""

    name: ObjectName = setting(why="the Secret of that name is the source", write="ml-model-key")
    namespace: Label = setting(why="the Secret is there", write="ml-training")
    store: Label = setting(why="the values go there", write="aws-secrets-manager")
    keys: dict[str, Text] = setting(
        why="they are written under these names", write="{token: ml/model-key}", min_length=1
    )
    replace: Flag = setting(
        False, why="it overwrites what the store has already", write="true or false"
    )
    wait: Flag = setting(
        True, why="a deployment ends only when the store has the values", write="true"
    )


class ExternalSecrets(Section):
    """Secrets copied from Vault, AWS and Google Cloud into the cluster."""

    enabled: Flag = setting(True, why="Secrets are copied by it", write="true or false")
    namespace: Label = setting(
        "external-secrets", why="the operator runs there", write="external-secrets"
    )
    replicas: Count = setting(
        why="while none runs, rotated values do not arrive", write="2", ge=1, le=5
    )
    image: Image = setting(
        why="the operator runs it",
        write="{repository: oci.external-secrets.io/external-secrets/external-secrets, "
        "tag: v0.20.4}",
    )
    chart: Chart = setting(
        Chart(), why="it makes the operator's Kubernetes objects", write="{version: 0.20.4}"
    )
    endpoints: tuple[Endpoint, ...] = setting(
        (),
        why="the operator reaches cloud stores there, and nothing else outside the cluster",
        write='[{cidrs: ["10.0.0.0/16"], port: 443}]',
    )
    aws_endpoint: AnyUrl | None = setting(
        None,
        why="it replaces AWS by a stand-in for the operator's pods",
        write="http://10.77.0.2:5000, or nothing for the real AWS",
    )
    stores: tuple[Store, ...] = setting(
        (),
        why="Secrets are copied from them",
        write="[{type: vault, name: vault-backend, namespace: ml-training, grant: ml-app, "
        "account: ml-app-sa}]",
    )
    secrets: tuple[Secret, ...] = setting(
        (),
        why="these Secrets are made and kept up to date",
        write="[{name: mlflow-credentials, namespace: ml-training, store: vault-backend, "
        "data: [{key: password, remote: secret/ml/mlflow, property: password}]}]",
    )
    pushes: tuple[Push, ...] = setting(
        (), why="these Secrets are written into a store", write="[{name: ml-model-key, …}]"
    )
    service_monitor: Flag = setting(
        False, why="it needs the Prometheus Operator's CRDs", write="true or false"
    )
