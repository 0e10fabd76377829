"""Helm values for Vault: typed arguments in, plain values out.

Owns the keys of HashiCorp's chart (0.30 and later) that this project sets; the project's own chart
for one machine takes the same ones. Values hold names of Secrets, never their content.

Readiness tells the truth: an uninitialised or sealed server is not ready, so that traffic, drains
and upgrades see it as it is. Were it counted as ready, a sealed server would take requests and a
disruption budget would let the last healthy one go. Hence the engine must not wait for readiness,
which initialisation brings only later: the StatefulSet and the Services that select by Vault's
state carry `pulumi.com/skipAwait`; the bootstrap waits in their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from components.vault.certificate_secret import Tls
from components.vault.injector_values import Injector, csi_values, injector_values
from components.vault.pod_values import (
    CONTAINER_SECURITY,
    POD_SECURITY,
    Image,
    Resources,
    Spread,
    placement,
    seal_variables,
    volume_mounts,
    volumes,
)
from components.vault.seal import Seal
from components.vault.server_config import CA_FILE, ServerConfig, TlsVersion
from components.vault.service_values import Ui, service_monitor, ui_values
from components.vault.sidecars import AUDIT_MOUNT, reload_container, rotate_container

# The chart appends its own name to a release that does not hold it.
RELEASE = re.compile(r"(?=[a-z0-9-]{0,35}vault)[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A persistent volume of each pod. No class means the cluster's default one."""

    size: str
    storage_class: str | None = None


@dataclass(frozen=True, kw_only=True)
class AuditVolume(Volume):
    """The audit log's volume. `size_bytes` is `size` as a number: the log is kept within it."""

    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many servers, how big, and where. Raises ValueError for a count other than 3 or 5."""

    replicas: int
    resources: Resources
    data: Volume
    audit: AuditVolume
    spread: Spread

    def __post_init__(self) -> None:
        if self.replicas not in (3, 5):
            raise ValueError(
                f"replicas: {self.replicas} is not 3 or 5; an even number adds a server that can "
                "fail and none that may, and fewer than 3 outlive no loss. Use 3 or 5."
            )


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """Prometheus metrics, and whether the Prometheus Operator is told of them.

    Prometheus reads them with the token in the Secret `token_secret`'s key `token`.
    """

    enabled: bool = True
    service_monitor: bool = False
    token_secret: str = "vault-metrics-token"  # noqa: S105 -- the name of a Secret


@dataclass(frozen=True, kw_only=True)
class VaultValues:
    """Everything the chart is told. Raises ValueError for a wrong name of the release."""

    release: str
    image: Image
    size: Size
    seal: Seal
    injector: Injector
    min_tls: TlsVersion = TlsVersion.TLS13
    ui: Ui = field(default_factory=Ui)
    csi: bool = False
    telemetry: Telemetry = field(default_factory=Telemetry)
    log_level: str = "info"

    def __post_init__(self) -> None:
        if not RELEASE.fullmatch(self.release):
            raise ValueError(
                f"release: {self.release!r} is no name of at most 40 lower-case letters, digits "
                "and hyphens that holds 'vault'; HashiCorp's chart would call the servers "
                "otherwise than their certificate does. Use vault, or for example team-vault."
            )


def helm_values(vault: VaultValues, *, tls: Tls, webhook: Tls | None) -> dict[str, Any]:
    """The chart's values. `tls` is the servers' certificate, `webhook` the injector's, if any.

    Both CAs are public; all else is known before anything is deployed.
    """
    return {
        "global": {"tlsDisable": False},
        "server": _server(vault, tls.secret_name),
        "ui": ui_values(vault.ui, SKIP_AWAIT),
        "injector": injector_values(
            vault.injector,
            release=vault.release,
            agent_image=vault.image,
            ca_pem=tls.ca_pem,
            webhook=webhook,
        ),
        "csi": csi_values(vault.csi),
        "serverTelemetry": service_monitor(
            vault.release,
            enabled=vault.telemetry.enabled and vault.telemetry.service_monitor,
            token_secret=vault.telemetry.token_secret,
        ),
    }


def _server(vault: VaultValues, tls_secret: str) -> dict[str, Any]:
    size = vault.size
    return {
        "image": vault.image.values(),
        "logLevel": vault.log_level,
        "resources": size.resources.values(),
        "updateStrategyType": "OnDelete",
        "includeConfigAnnotation": True,
        "shareProcessNamespace": True,
        "extraContainers": [
            reload_container(vault.image),
            rotate_container(vault.image, size.audit.size_bytes),
        ],
        "extraEnvironmentVars": {"VAULT_CACERT": CA_FILE},
        "extraSecretEnvironmentVars": seal_variables(vault.seal),
        "volumes": volumes(tls_secret, vault.seal),
        "volumeMounts": volume_mounts(vault.seal),
        **placement(vault.release, size.spread),
        "terminationGracePeriodSeconds": 30,
        "readinessProbe": {"enabled": True, "path": "/v1/sys/health?standbyok=true", "port": 8200},
        # A sealed server must stay for its custodians; a restart would not unseal it.
        "livenessProbe": {"enabled": False},
        "dataStorage": _volume(size.data, "/vault/data"),
        "auditStorage": _volume(size.audit, AUDIT_MOUNT),
        # Whatever makes the StatefulSet go or be made anew, the data must outlive that.
        # A `destroy` removes the volumes with their namespace.
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "authDelegator": {"enabled": True},
        "serviceAccount": {"create": True, "annotations": dict(vault.seal.account_annotations)},
        "service": {"enabled": True, "annotations": SKIP_AWAIT},
        "statefulSet": {
            "annotations": SKIP_AWAIT,
            "securityContext": {"pod": POD_SECURITY, "container": CONTAINER_SECURITY},
        },
        "ha": {
            "enabled": True,
            "replicas": size.replicas,
            # The chart's default is the pod's address, which no certificate names. HOSTNAME would
            # stay unexpanded here: the chart defines it further down the list.
            "apiAddr": f"https://$(VAULT_K8S_POD_NAME).{vault.release}-internal:8200",
            "disruptionBudget": {"enabled": True, "maxUnavailable": (size.replicas - 1) // 2},
            "raft": {
                "enabled": True,
                "setNodeId": True,
                "config": ServerConfig(
                    release=vault.release,
                    replicas=size.replicas,
                    seal=vault.seal,
                    min_tls=vault.min_tls,
                    telemetry=vault.telemetry.enabled,
                ).hcl(),
            },
        },
    }


def _volume(volume: Volume, path: str) -> dict[str, Any]:
    return {
        "enabled": True,
        "size": volume.size,
        "mountPath": path,
        "accessMode": "ReadWriteOnce",
        **({"storageClass": volume.storage_class} if volume.storage_class else {}),
    }
