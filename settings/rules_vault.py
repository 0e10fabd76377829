"""The rules about Vault's servers: replicas, certificates, sizes, chart, snapshots.

Each is a generator over the whole Settings; settings/rules.py runs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from settings.cloud import Cloud
from settings.environments import Environment
from settings.errors import Problem
from settings.kubernetes import PodSecurity
from settings.rules_seal import SEAL_RULES
from settings.rules_sealing import chart_problems
from settings.snapshots import Destination
from settings.types import AWS
from settings.vault import ServiceType, Spread, TlsSource

if TYPE_CHECKING:
    from settings.root import Settings


_IDENTITIES = {
    Destination.S3: re.compile(rf"{AWS}:iam::\d{{12}}:role/[\w+=,.@/-]+"),
    Destination.GCS: re.compile(r"[a-z][a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com"),
}


def _replicas(settings: Settings) -> Iterator[Problem]:
    vault = settings.vault
    if vault.replicas not in (3, 5):
        yield Problem(
            "vault.replicas",
            f"is {vault.replicas}",
            "Raft needs an odd majority: an even count outlives no more losses, one outlives none",
            "3 (outlives one loss) or 5 (outlives two)",
        )
    elif vault.autopilot.min_quorum > vault.replicas:
        yield Problem(
            "vault.autopilot.minQuorum",
            f"is {vault.autopilot.min_quorum}, more than the {vault.replicas} replicas",
            "dead servers would never be removed",
            f"at most {vault.replicas}",
            also=("vault.replicas",),
        )


def _strict_prod(settings: Settings) -> Iterator[Problem]:
    if settings.environment is not Environment.PROD:
        return
    vault = settings.vault
    if vault.injector.enabled and vault.injector.replicas < 2:
        yield Problem(
            "vault.injector.replicas",
            f"is {vault.injector.replicas} in environment prod",
            "while the only injector restarts, pods start without their secrets",
            "2 or more",
            also=("environment",),
        )
    if vault.spread is not Spread.REQUIRED:
        yield Problem(
            "vault.spread",
            f"is {str(vault.spread)!r} in environment prod",
            "a lost machine or zone would take the majority with it",
            "required",
            also=("environment",),
        )


def _tls(settings: Settings) -> Iterator[Problem]:
    tls = settings.vault.tls
    if tls.renew_before >= tls.validity:
        yield Problem(
            "vault.tls.renewBefore",
            f"is {str(tls.renew_before)!r}, not less than validity {str(tls.validity)!r}",
            "the certificate would be renewed without end",
            "about a third of `validity`",
            also=("vault.tls.validity",),
        )
    for source, field, value in (
        (TlsSource.SECRET, "secretName", tls.secret_name),
        (TlsSource.CERT_MANAGER, "issuer", tls.issuer),
    ):
        if (tls.source is source) is (value is None):
            state = "is missing" if value is None else f"is {value!r}"
            yield Problem(
                f"vault.tls.{field}",
                f"{state} though `source` is {tls.source}",
                "Vault's certificate must come from exactly one place",
                f"`{field}` together with `source: {source}` only",
                also=("vault.tls.source",),
            )
    if (tls.source is TlsSource.OWN_CA) is (tls.ca_file is not None):
        state = "is missing" if tls.ca_file is None else f"is {tls.ca_file!r}"
        yield Problem(
            "vault.tls.caFile",
            f"{state} though `source` is {tls.source}",
            "clients must trust exactly the CA that signs Vault's certificate",
            "`caFile` with `source: cert-manager` or `secret` only",
            also=("vault.tls.source",),
        )
    elif tls.ca_file is not None and not _is_text(Path(tls.ca_file)):
        yield Problem(
            "vault.tls.caFile",
            f"is {tls.ca_file!r}, and there is no such file, or it holds no text",
            "no client could verify Vault",
            "a PEM file's path, relative to the program",
        )


def _is_text(path: Path) -> bool:
    try:
        path.read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _sizes(settings: Settings) -> Iterator[Problem]:
    resources = settings.vault.resources
    for name in ("memory", "cpu"):
        request, limit = getattr(resources.requests, name), getattr(resources.limits, name)
        if request > limit:
            yield Problem(
                f"vault.resources.requests.{name}",
                f"is {str(request)!r}, more than the limit {str(limit)!r}",
                "Kubernetes refuses such a pod",
                f"at most {limit}",
                also=(f"vault.resources.limits.{name}", "environment"),
            )


def _pinned(settings: Settings) -> Iterator[Problem]:
    vault = settings.vault
    if not vault.image.tag.startswith(vault.version):
        yield Problem(
            "vault.image.tag",
            f"is {vault.image.tag!r} while `version` is {vault.version!r}",
            "upgrades are ordered by a version that the pods would not have",
            f"{vault.version}, or change both",
            also=("vault.version",),
        )
    yield from chart_problems("vault.chart", vault.chart)


def _address(settings: Settings) -> Iterator[Problem]:
    address = settings.vault.address
    parts = urlsplit(address)
    if parts.path or parts.query or parts.fragment:
        yield Problem(
            "vault.address",
            f"is {address!r}, which goes on after the host",
            "clients and certificates put Vault's paths behind it",
            f"{parts.scheme}://{parts.netloc}",
        )


def _csi(settings: Settings) -> Iterator[Problem]:
    levels = {namespace.name: namespace.pod_security for namespace in settings.namespaces}
    level = levels.get(settings.vault.namespace, PodSecurity.PRIVILEGED)
    if settings.vault.csi.enabled and level is not PodSecurity.PRIVILEGED:
        yield Problem(
            "vault.csi.enabled",
            f"is true while namespace {settings.vault.namespace} is {level}",
            "the provider mounts a folder of the machine, so its pods would be refused",
            "false: the injector and External Secrets need no such right",
            also=("namespaces",),
        )


def _ui(settings: Settings) -> Iterator[Problem]:
    ui = settings.vault.ui
    if ui.node_port is not None and ui.service_type is not ServiceType.NODE_PORT:
        yield Problem(
            "vault.ui.nodePort",
            f"is {ui.node_port} though `serviceType` is {ui.service_type}",
            "the port would silently not be opened",
            "`serviceType: NodePort`, or remove nodePort",
            also=("vault.ui.serviceType",),
        )
    clients = settings.network.clients
    everybody = not clients or any(client.endswith("/0") for client in clients)
    if ui.service_type is ServiceType.LOAD_BALANCER and everybody:
        yield Problem(
            "network.clients",
            f"{'holds every address' if clients else 'is empty'} though `vault.ui.serviceType` is "
            "LoadBalancer",
            "a cloud's load balancer lets the whole Internet in unless it is told whom",
            '["10.0.0.0/16"], the networks from which people and pipelines reach Vault',
            also=("vault.ui.serviceType",),
        )


def _snapshots(settings: Settings) -> Iterator[Problem]:
    snapshots = settings.vault.snapshots
    if not snapshots.enabled:
        if settings.environment is Environment.PROD:
            yield Problem(
                "vault.snapshots.enabled",
                "is false in environment prod",
                "a lost quorum would lose every secret",
                "true",
                also=("environment",),
            )
        return
    needed = {Destination.S3: Cloud.AWS, Destination.GCS: Cloud.GCP}.get(snapshots.destination)
    if needed and settings.cloud is not needed:
        yield Problem(
            "vault.snapshots.destination",
            f"is {str(snapshots.destination)!r} though `cloud` is {settings.cloud}",
            "the job could not store a snapshot",
            f"`cloud: {needed}`, or volume",
            also=("cloud",),
        )
    if (needed is None) is (snapshots.bucket is not None):
        state = "is missing" if snapshots.bucket is None else f"is {snapshots.bucket!r}"
        yield Problem(
            "vault.snapshots.bucket",
            f"{state} though `destination` is {snapshots.destination}",
            "snapshots must go to exactly one place",
            "a bucket name together with `destination: s3` or `gcs` only",
            also=("vault.snapshots.destination",),
        )
    if needed is settings.cloud and settings.network.object_storage is None:
        yield Problem(
            "network.objectStorage",
            f"is missing though `vault.snapshots.destination` is {snapshots.destination}",
            "network policies would drop every upload",
            '{cidrs: ["10.0.0.0/16"], port: 443}',
            also=("vault.snapshots.destination",),
        )
    if needed is None and snapshots.identity is not None:
        yield Problem(
            "vault.snapshots.identity",
            f"is {snapshots.identity!r} though `destination` is {snapshots.destination}",
            "a volume needs no cloud identity, so it would silently have no effect",
            "nothing, or `destination: s3` or `gcs`",
            also=("vault.snapshots.destination",),
        )
    elif snapshots.identity is not None and not _IDENTITIES[snapshots.destination].fullmatch(
        snapshots.identity
    ):
        yield Problem(
            "vault.snapshots.identity",
            f"is {snapshots.identity!r} though `destination` is {snapshots.destination}",
            "the cloud would not know the job, and every upload fail",
            "arn:aws:iam::123456789012:role/strongroom-prod-snapshots for `s3`, "
            "snapshots@example-project.iam.gserviceaccount.com for `gcs`",
            also=("vault.snapshots.destination",),
        )


VAULT_RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _replicas,
    _strict_prod,
    *SEAL_RULES,
    _tls,
    _sizes,
    _pinned,
    _address,
    _csi,
    _ui,
    _snapshots,
)
