"""The Sealed Secrets controller: which namespaces it serves, its keys' lives and their backups.

Holds fingerprints and public keys only.
Sealing keys are made in the cluster and leave it encrypted.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from settings.base import Section, setting
from settings.sops import AgeRecipient, GcpKmsKey
from settings.types import ChartVersion, Duration, Flag, KmsKey, Label, Text, refuse
from settings.vault import ChartSource, Image

Fingerprint = Annotated[Text, Field(pattern=r"^[0-9a-f]{64}$")]
Group = Annotated[Text, AfterValidator(lambda value: _not_everybody(value))]


def _not_everybody(value: str) -> str:
    if value in ("system:authenticated", "system:unauthenticated"):
        raise refuse(f"is {value!r}, which is everybody, every pod among them")
    return value


class Chart(Section):
    """The official Helm chart."""

    source: ChartSource = setting(
        ChartSource.REPOSITORY, why="it decides how `location` is read", write="repository"
    )
    location: Text = setting(
        "https://bitnami-labs.github.io/sealed-secrets",
        why="the chart is fetched from there",
        write="https://bitnami-labs.github.io/sealed-secrets",
    )
    version: ChartVersion | None = setting(
        "2.18.4", why="an unpinned chart changes the cluster by itself", write="2.18.4"
    )


class Backup(Section):
    """Who can open the backups of the sealing keys. Several: each of them can."""

    age: tuple[AgeRecipient, ...] = setting(
        (), why="holders of these keys can open the backup", write="[age1…]"
    )
    aws_kms: KmsKey | None = setting(
        None,
        why="whoever may decrypt with that key can open the backup",
        write="arn:aws:kms:eu-central-1:123456789012:alias/strongroom-custody",
    )
    gcp_kms: GcpKmsKey | None = setting(
        None,
        why="whoever may decrypt with that key can open the backup",
        write="projects/example-project/locations/europe-west3/keyRings/strongroom/cryptoKeys/custody",
    )


class SealedSecrets(Section):
    """Secrets encrypted for the cluster, kept in Git."""

    enabled: Flag = setting(True, why="sealed files become Secrets by it", write="true or false")
    namespace: Label = setting(
        "sealed-secrets", why="controller and sealing keys live there", write="sealed-secrets"
    )
    opened_in: tuple[Label, ...] = setting(
        ("ml-training", "ml-serving"),
        why="the controller may write Secrets there and nowhere else",
        write="[ml-training, ml-serving]",
        min_length=1,
    )
    image: Image = setting(
        why="the controller runs it",
        write="{repository: docker.io/bitnami/sealed-secrets-controller, tag: 0.36.6}",
    )
    chart: Chart = setting(
        Chart(), why="it makes the controller's Kubernetes objects", write="{version: 2.18.4}"
    )
    key_renew_period: Duration = setting(
        Duration.parse("30d"), why="what is sealed with a leaked key can be read", write="30d"
    )
    keys_made_before: AwareDatetime | None = setting(
        None,
        why="an older key seals nothing new: the first step after a leak",
        write='"2026-01-31T12:00:00Z", or nothing',
    )
    fingerprint: Fingerprint | None = setting(
        None,
        why="files are sealed for that certificate only; another could be a stranger's",
        write="what `strongroom seal certificate` prints (64 hexadecimal digits)",
    )
    sealers: tuple[Group, ...] = setting(
        (),
        why="only these groups reach the controller through the API server",
        write="[platform-engineers]",
    )
    backup: Backup = setting(
        Backup(),
        why="without a backup a lost cluster loses every sealed file",
        write="{age: [age1…]}",
    )
    service_monitor: Flag = setting(
        False, why="it needs the Prometheus Operator's CRDs", write="true or false"
    )
