"""Which credentials are rotated, how often, where each is published and who reads it.

Holds names and paths only, under keys that no scan takes for a secret's: the pod is told them by a
ConfigMap. A credential's due times follow from its place in the list and its interval;
`strongroom rotate plan` shows them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Section, setting
from settings.engines import SqlName
from settings.rotation_job import RotationJob
from settings.types import Count, Duration, Label, ObjectName, Text

KvPath = Annotated[Text, Field(pattern=r"^secret/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$")]
AwsSecret = Annotated[Text, Field(pattern=r"^[A-Za-z0-9_/+=.@:-]{1,512}$")]
IamUser = Annotated[Text, Field(pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}$")]
Workload = Annotated[
    Text, Field(pattern=r"^(deployment|statefulset|daemonset)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
]
Endpoint = Annotated[Text, Field(pattern=r"^[0-9]{1,5}/[A-Za-z0-9_./-]*$")]


_ROLLED_OUT = "[{namespace: ml-training, workload: deployment/app, reload: rollout}]"


class Kind(StrEnum):
    """What is rotated."""

    DATABASE_PASSWORD = "database-password"  # noqa: S105 -- a kind of credential
    VAULT_STATIC_ROLE = "vault-static-role"
    VAULT_DATABASE_ROOT = "vault-database-root"
    VAULT_AWS_ROOT = "vault-aws-root"
    IAM_ACCESS_KEY = "iam-access-key"
    SECRETS_MANAGER = "secrets-manager"


class Reload(StrEnum):
    """How a workload comes by a new credential."""

    FILE = "file"
    SIGNAL = "signal"
    ROLLOUT = "rollout"


class Consumer(Section):
    """A workload that reads the credential."""

    namespace: Label = setting(why="the workload runs there", write="ml-training")
    workload: Workload = setting(
        why="the old credential ends only when each of its pods uses the new one",
        write="deployment/mlflow",
    )
    reload: Reload = setting(
        why="a rollout is started by the rotation, file and signal happen in the pod",
        write="file",
    )
    endpoint: Endpoint | None = setting(
        None,
        why="each pod says there which user or key it uses (PORT/PATH)",
        write="8080/credential",
    )
    waits_for: ObjectName | None = setting(
        None,
        why="the rollout waits until that ExternalSecret has copied the new credential",
        write="mlflow-credentials",
    )


class Publish(Section):
    """Where the credential is published; exactly one place."""

    vault: KvPath | None = setting(
        None, why="a KV secret that the rotation replaces", write="secret/ml/mlflow-database"
    )
    secrets_manager: AwsSecret | None = setting(
        None, why="a secret of AWS that the rotation replaces", write="ml/training/mlflow-database"
    )


class _Credential(Section):
    name: Label = setting(why="records, events and commands name it", write="mlflow-database")
    every_days: Count | None = setting(
        None, why="no credential gets older than that", write="30", ge=1, le=365
    )
    pair: Label | None = setting(
        None, why="of those with the same pair one waits for the other's end", write="mlflow"
    )


class DatabasePassword(_Credential):
    """A PostgreSQL password, by two users that take turns: no login is ever refused."""

    type: Literal[Kind.DATABASE_PASSWORD] = setting(
        why="it chooses the way", write="database-password"
    )
    users: tuple[SqlName, SqlName] = setting(
        why="they take turns; the published one is in use", write="[mlflow, mlflow_clone]"
    )
    owner: SqlName = setting(
        why="it owns what both may do, and nobody logs in as it", write="mlflow_owner"
    )
    admin: Label = setting(
        why="a static role whose user may change both passwords", write="rotation-admin"
    )
    publish: Publish = setting(
        why="programs read the login there", write="{vault: secret/ml/mlflow-database}"
    )
    consumers: tuple[Consumer, ...] = setting(
        why="the old password ends only when each of their pods has moved; [] when there are none",
        write="[{namespace: ml-training, workload: deployment/mlflow, reload: file}]",
    )


class VaultStaticRole(_Credential):
    """A user whose password Vault changes; the old one ends at once."""

    type: Literal[Kind.VAULT_STATIC_ROLE] = setting(
        why="it chooses the way", write="vault-static-role"
    )
    role: Label = setting(why="Vault changes that role's password", write="ml-tracking")
    consumers: tuple[Consumer, ...] = setting(
        (), why="the rotation ends when their pods were renewed", write=_ROLLED_OUT
    )


class VaultDatabaseRoot(_Credential):
    """The password of Vault's own database user."""

    type: Literal[Kind.VAULT_DATABASE_ROOT] = setting(
        why="it chooses the way", write="vault-database-root"
    )


class VaultAwsRoot(_Credential):
    """The access key with which Vault's AWS engine works."""

    type: Literal[Kind.VAULT_AWS_ROOT] = setting(why="it chooses the way", write="vault-aws-root")
    user: IamUser = setting(why="its keys are counted: AWS keeps two", write="vault")


class IamAccessKey(_Credential):
    """An access key of an IAM user."""

    type: Literal[Kind.IAM_ACCESS_KEY] = setting(why="it chooses the way", write="iam-access-key")
    user: IamUser = setting(why="its key is replaced; AWS keeps two", write="ml-exporter")
    publish: Publish = setting(
        why="programs read the key there", write="{vault: secret/ml/exporter-aws}"
    )
    quiet: Duration = setting(
        Duration.parse("1d"),
        why="the old key is switched off when nobody has used it that long",
        write="1d",
    )
    grace: Duration = setting(
        Duration.parse("7d"),
        why="a key that is switched off can be switched on again that long",
        write="7d",
    )
    consumers: tuple[Consumer, ...] = setting(
        (), why="the old key ends only when each of their pods has moved", write=_ROLLED_OUT
    )


class SecretsManagerValue(_Credential):
    """A value that AWS rotates by a function; it is started and watched."""

    type: Literal[Kind.SECRETS_MANAGER] = setting(why="it chooses the way", write="secrets-manager")
    secret_id: AwsSecret = setting(why="AWS rotates that secret", write="ml/training/credentials")
    consumers: tuple[Consumer, ...] = setting(
        (), why="the rotation ends when their pods use the new version", write=_ROLLED_OUT
    )


Credential = Annotated[
    DatabasePassword
    | VaultStaticRole
    | VaultDatabaseRoot
    | VaultAwsRoot
    | IamAccessKey
    | SecretsManagerValue,
    Field(discriminator="type"),
]


class Rotation(Section):
    """Rotation of credentials that do not end by themselves."""

    every_days: Count = setting(
        90,
        why="no credential without an own interval gets older than that",
        write="90",
        ge=1,
        le=365,
    )
    window: Duration = setting(
        Duration.parse("1h"),
        why="no two rotations are due within it, and one that began later is late",
        write="1h",
    )
    stuck_after: Duration = setting(
        Duration.parse("1d"), why="a step that lasts longer raises an alarm", write="1d"
    )
    events_key: Label = setting(
        "strongroom-rotation",
        why="event lines are signed with that Ed25519 key of Vault's Transit engine",
        write="strongroom-rotation",
    )
    credentials: tuple[Credential, ...] = setting(
        (),
        why="exactly these are rotated",
        write="[{type: vault-database-root, name: vault-database}]",
    )
    job: RotationJob | None = setting(
        None,
        why="without it somebody must run `strongroom rotate run` whenever something is due",
        write="{image: {repository: registry.example.com/strongroom, tag: 1.0.0}}",
    )
