"""The Vault cluster: its chart, size, storage, certificates and companions.

Sizes have no defaults here: they come from settings/environments.py, the one place for them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from settings.base import Section, setting
from settings.seal import Custodian, Seal
from settings.snapshots import Snapshots
from settings.types import (
    ChartVersion,
    Count,
    Duration,
    Flag,
    HttpsUrl,
    Label,
    ObjectName,
    Port,
    Quantity,
    Repository,
    Tag,
    Text,
    Version,
    at_least,
)


class Image(Section):
    """A container image, pinned."""

    repository: Repository = setting(why="pods run what is there", write="hashicorp/vault")
    tag: Tag = setting(why="a moving tag changes pods without a deployment", write="1.21.0")


class ChartSource(StrEnum):
    """Where a Helm chart comes from."""

    REPOSITORY = "repository"
    OCI = "oci"
    PATH = "path"


class Chart(Section):
    """Vault's Helm chart."""

    source: ChartSource = setting(
        ChartSource.REPOSITORY, why="it decides how `location` is read", write="repository"
    )
    location: Text = setting(
        "https://helm.releases.hashicorp.com",
        why="the chart is fetched from there",
        write="https://helm.releases.hashicorp.com",
    )
    version: ChartVersion | None = setting(
        None, why="an unpinned chart changes the cluster by itself", write="0.31.0"
    )


class TlsSource(StrEnum):
    """Who issues Vault's certificate. There is no value for "off"."""

    OWN_CA = "own-ca"
    CERT_MANAGER = "cert-manager"
    SECRET = "secret"  # noqa: S105 -- the name of a choice, not a password


class TlsVersion(StrEnum):
    """The oldest TLS version that Vault's listener accepts."""

    TLS12 = "tls12"
    TLS13 = "tls13"


class Tls(Section):
    """Vault's certificate. TLS cannot be switched off in any environment."""

    source: TlsSource = setting(
        TlsSource.OWN_CA, why="it decides whom clients must trust", write="own-ca"
    )
    min_version: TlsVersion = setting(
        TlsVersion.TLS13, why="older versions have known weaknesses", write="tls13"
    )
    secret_name: ObjectName | None = setting(
        None, why="the certificate is read from that Secret", write="vault-server-tls"
    )
    issuer: ObjectName | None = setting(
        None, why="that ClusterIssuer of cert-manager signs the certificate", write="platform-ca"
    )
    ca_file: Text | None = setting(
        None,
        why="clients trust the CA certificate in that PEM file, and no other",
        write="keys/platform-ca.crt",
    )
    validity: Duration = setting(
        Duration.parse("90d"), why="a stolen certificate is of use that long", write="2160h"
    )
    renew_before: Duration = setting(
        Duration.parse("30d"), why="renewal needs time to be noticed failing", write="720h"
    )


class Storage(Section):
    """The Raft volume of each pod."""

    size: Quantity = setting(why="a full volume stops Vault", write="10Gi")
    class_: Label | None = setting(
        None,
        alias="class",
        why="it decides where the volume lives",
        write="gp3, or nothing for the default StorageClass",
    )


class Audit(Section):
    """The audit log's volume of each pod, in which the log rotates."""

    size: Annotated[Quantity, at_least("64Mi")] = setting(
        why="three quarters of it hold the log, compressed; then the oldest entries go", write="5Gi"
    )


class Amounts(Section):
    """Memory and processor time."""

    memory: Quantity = setting(why="a pod above it is killed", write="512Mi")
    cpu: Quantity = setting(why="a pod above it is slowed down", write="500m")


class Resources(Section):
    """What each Vault pod is promised and what it may use at most."""

    requests: Amounts = setting(why="the scheduler reserves it", write="{memory: 256Mi, cpu: 250m}")
    limits: Amounts = setting(why="the node enforces it", write="{memory: 512Mi, cpu: 500m}")


class Spread(StrEnum):
    """Whether replicas may share a machine or zone."""

    NONE = "none"
    PREFERRED = "preferred"
    REQUIRED = "required"


class ServiceType(StrEnum):
    """How the UI and API are reached from outside the cluster."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class Ui(Section):
    """Vault's UI service."""

    service_type: ServiceType = setting(
        ServiceType.CLUSTER_IP, why="it decides who can reach Vault", write="ClusterIP"
    )
    node_port: Port | None = setting(
        None, why="the node listens there", write="30200 (30000-32767)", ge=30000, le=32767
    )


class Injector(Section):
    """The agent injector, a webhook that adds Vault agents to pods."""

    enabled: Flag = setting(True, why="annotated pods get their secrets by it", write="true")
    replicas: Count = setting(why="pods start without secrets while none answers", write="2", ge=1)
    image: Image = setting(
        why="the injector runs it",
        write="{repository: hashicorp/vault-k8s, tag: 1.6.2}",
    )


class Csi(Section):
    """Vault's provider for the Secrets Store CSI driver."""

    enabled: Flag = setting(
        False, why="it needs the CSI driver in the cluster", write="true or false"
    )


class Telemetry(Section):
    """Prometheus metrics."""

    enabled: Flag = setting(True, why="alerts need the figures", write="true")
    service_monitor: Flag = setting(
        False,
        why="it needs the Prometheus Operator's CRDs and, beside Vault, the Secret "
        "vault-metrics-token, whose `token` may read sys/metrics",
        write="true or false",
    )


class Autopilot(Section):
    """Raft's own housekeeping."""

    cleanup_dead_servers: Flag = setting(
        True, why="dead servers count against the quorum", write="true"
    )
    min_quorum: Count = setting(
        3, why="clean-up never goes below that many servers", write="3", ge=3
    )
    dead_server_last_contact_threshold: Duration = setting(
        Duration.parse("24h"), why="a silent server is removed after it", write="24h"
    )
    server_stabilization_time: Duration = setting(
        Duration.parse("10s"), why="a joined server votes after it", write="10s"
    )


class Deployer(Section):
    """The credential with which this program configures Vault."""

    token_file: Text = setting(
        ".strongroom/vault-token",
        why="the Vault provider reads its token there, so that none is in the state; another "
        "stack of this checkout needs a file of its own, or its Vault is shown this one's token",
        write=".strongroom/vault-token",
    )
    token_ttl: Duration = setting(
        Duration.parse("1h"), why="a leaked token works that long", write="1h"
    )


class Vault(Section):
    """The cluster as a whole."""

    namespace: Label = setting("vault", why="Vault's pods run there", write="vault")
    address: HttpsUrl = setting(
        why="the deployer configures Vault there; plain http would show it every token",
        write="https://vault.example.com:8200",
    )
    replicas: Count = setting(
        why="Raft needs an odd majority: 3 outlive one loss, 5 two", write="3"
    )
    version: Version = setting(why="upgrades go from a known version", write="1.21.0")
    image: Image = setting(
        why="the server runs it", write="{repository: hashicorp/vault, tag: 1.21.0}"
    )
    chart: Chart = setting(
        Chart(version="0.31.0"),
        why="it makes Vault's Kubernetes objects",
        write="{source: repository, version: 0.31.0}",
    )
    tls: Tls = setting(
        Tls(), why="tokens and secrets cross the network; TLS has no off", write="{source: own-ca}"
    )
    storage: Storage = setting(why="Vault keeps its data there", write="{size: 10Gi}")
    audit: Audit = setting(why="Vault keeps its audit log there", write="{size: 5Gi}")
    resources: Resources = setting(
        why="a server without limits starves its neighbours",
        write="{requests: {memory: 256Mi, cpu: 250m}, limits: {memory: 512Mi, cpu: 500m}}",
    )
    spread: Spread = setting(why="replicas on one machine die together", write="required")
    ui: Ui = setting(Ui(), why="it decides who can reach Vault", write="{serviceType: ClusterIP}")
    injector: Injector = setting(why="annotated pods get secrets by it", write="{enabled: true}")
    csi: Csi = setting(Csi(), why="pods may mount secrets by it", write="{enabled: false}")
    telemetry: Telemetry = setting(
        Telemetry(), why="alerts need the figures", write="{enabled: true}"
    )
    autopilot: Autopilot = setting(
        Autopilot(), why="dead servers count against the quorum", write="{minQuorum: 3}"
    )
    seal: Seal = setting(
        why="it decides who can start Vault", write="{type: awskms, createKey: true}"
    )
    custodian: Custodian = setting(
        why="the shares of the first start are handed out once, to it",
        write="{type: aws-secrets-manager, name: strongroom/prod/vault-init}",
    )
    deployer: Deployer = setting(
        Deployer(), why="this program configures Vault with it", write="{tokenTtl: 1h}"
    )
    snapshots: Snapshots = setting(
        why="without snapshots a lost quorum loses every secret",
        write='{schedule: "0 */6 * * *"}',
    )
