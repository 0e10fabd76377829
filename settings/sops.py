"""Which keys encrypt a stack's secret files in Git, and which of their fields.

Holds names of keys only. `strongroom sops init` makes .sops.yaml of every stack's section.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from settings.base import Section, setting
from settings.types import Flag, KmsKey, Label, ObjectName, RoleArn, Text

AgeRecipient = Annotated[Text, Field(pattern=r"^age1[02-9ac-hj-np-z]{58}$")]
GcpKmsKey = Annotated[
    Text,
    Field(pattern=r"^projects/[a-z0-9-]+/locations/[a-z0-9-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+$"),
]
Folder = Annotated[Text, Field(pattern=r"^[\w-][\w.-]*(/[\w-][\w.-]*)*$")]

SECRET_FIELDS = "^(data|stringData)$"  # noqa: S105 -- a pattern for names of fields


class Flux(Section):
    """Flux applies the encrypted files of this stack."""

    namespace: Label = setting(
        "flux-system", why="Flux's objects and its keys live there", write="flux-system"
    )
    source: ObjectName = setting(
        why="the GitRepository of that name holds the files", write="ml-gitops"
    )
    age_secret: ObjectName | None = setting(
        None,
        why="Flux opens files with the age key in that Secret",
        write="sops-age, or nothing where its own cloud identity opens them",
    )
    service_account: Label | None = setting(
        None,
        why="what is in the files is applied with that account's rights, not with Flux's own",
        write="ml-secrets-applier",
    )
    prune: Flag = setting(
        True, why="what is removed in Git is removed in the cluster", write="true or false"
    )


class Sops(Section):
    """One rule: the files of a folder, their keys, and the fields that are encrypted."""

    folder: Folder = setting(
        why="files below it are encrypted for this stack", write="secrets/production"
    )
    aws_kms: KmsKey | None = setting(
        None,
        why="whoever may decrypt with that key can open the files",
        write="arn:aws:kms:eu-central-1:123456789012:alias/strongroom-prod-sops",
    )
    aws_role: RoleArn | None = setting(
        None,
        why="the key is used as that role",
        write="arn:aws:iam::123456789012:role/strongroom-prod-sops",
    )
    aws_profile: Text | None = setting(
        None, why="the key is used with that profile's identity", write="production"
    )
    gcp_kms: GcpKmsKey | None = setting(
        None,
        why="whoever may decrypt with that key can open the files",
        write="projects/example-project/locations/europe-west3/keyRings/strongroom/cryptoKeys/sops",
    )
    age: tuple[AgeRecipient, ...] = setting(
        (), why="holders of these keys can open the files", write="[age1…]"
    )
    encrypted_regex: Text = setting(
        SECRET_FIELDS,
        why="fields whose names match are encrypted, others stay readable in reviews",
        write=f'"{SECRET_FIELDS}"',
    )
    flux: Flux | None = setting(
        None, why="it brings the files into the cluster", write="{source: ml-gitops}"
    )
