"""What Vault's servers are like: chart values, the certificate's source, where snapshots go."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from components.vault.injector_values import Injector
from components.vault.pod_values import Image, Resources, Spread
from components.vault.server_config import TlsVersion
from components.vault.service_values import ServiceType, Ui
from components.vault.snapshot_destinations import Destination, ToGcs, ToS3, ToVolume
from components.vault.tls import CertificateSource, CertManager, GivenSecret, OwnCa
from components.vault.values import AuditVolume, Size, Telemetry, VaultValues, Volume
from settings import Settings
from settings import vault as wanted
from settings.cloud import Cloud
from settings.snapshots import Destination as Kept
from settings.snapshots import Snapshots
from wiring.seal import Unsealing

# The cloud's own controller on EKS reads the first, the AWS Load Balancer Controller the second.
INTERNAL = {
    Cloud.AWS: {
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    },
    Cloud.GCP: {"networking.gke.io/load-balancer-type": "Internal"},
}


def values(settings: Settings, unsealing: Unsealing, release: str) -> VaultValues:
    """Everything the chart is told."""
    configured = settings.vault
    resources = configured.resources
    return VaultValues(
        release=release,
        image=image(configured.image),
        size=Size(
            replicas=configured.replicas,
            resources=Resources(
                memory=str(resources.requests.memory),
                cpu=str(resources.requests.cpu),
                memory_limit=str(resources.limits.memory),
                cpu_limit=str(resources.limits.cpu),
            ),
            data=Volume(size=str(configured.storage.size), storage_class=configured.storage.class_),
            audit=AuditVolume(
                size=str(configured.audit.size),
                size_bytes=int(configured.audit.size.amount),
                storage_class=configured.storage.class_,
            ),
            spread=Spread(configured.spread),
        ),
        seal=unsealing.seal,
        injector=Injector(
            enabled=configured.injector.enabled,
            image=image(configured.injector.image),
            replicas=configured.injector.replicas,
        ),
        min_tls=TlsVersion(configured.tls.min_version),
        ui=Ui(
            service_type=ServiceType(configured.ui.service_type),
            node_port=configured.ui.node_port,
            clients=settings.network.clients,
            annotations=_balancer(settings),
        ),
        csi=configured.csi.enabled,
        telemetry=Telemetry(
            enabled=configured.telemetry.enabled,
            service_monitor=configured.telemetry.service_monitor,
        ),
    )


def _balancer(settings: Settings) -> dict[str, str]:
    """What keeps a cloud's load balancer off the Internet, where no client comes from there."""
    private = all(ip_network(client).is_private for client in settings.network.clients)
    balanced = settings.vault.ui.service_type is wanted.ServiceType.LOAD_BALANCER
    return INTERNAL.get(settings.cloud, {}) if balanced and private else {}


def destination(settings: Settings, kept: Snapshots) -> Destination:
    """Where snapshots go."""
    if kept.destination is Kept.S3 and settings.aws:
        return ToS3(
            bucket=kept.bucket or "",
            prefix=kept.prefix,
            region=settings.aws.region,
            role=kept.identity,
        )
    if kept.destination is Kept.GCS:
        return ToGcs(bucket=kept.bucket or "", prefix=kept.prefix, service_account=kept.identity)
    return ToVolume(
        size=str(kept.size),
        retain=kept.retain,
        storage_class=settings.vault.storage.class_,
        protect=settings.protect,
    )


def image(named: wanted.Image) -> Image:
    """A pinned container image."""
    return Image(repository=named.repository, tag=named.tag)


def certificate_source(tls: wanted.Tls) -> CertificateSource:
    """Who signs Vault's certificate."""
    validity = timedelta(seconds=tls.validity.seconds)
    renew_before = timedelta(seconds=tls.renew_before.seconds)
    match tls.source:
        case wanted.TlsSource.OWN_CA:
            return OwnCa(validity=validity, renew_before=renew_before)
        case wanted.TlsSource.CERT_MANAGER:
            return CertManager(
                issuer=tls.issuer or "",
                ca_pem=Path(tls.ca_file or "").read_text(),
                validity=validity,
                renew_before=renew_before,
            )
        case wanted.TlsSource.SECRET:
            return GivenSecret(
                secret_name=tls.secret_name or "", ca_pem=Path(tls.ca_file or "").read_text()
            )
