"""Vault as tests deploy it: each environment's sizes, and one thing changed at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from components.vault.certificate_secret import Tls
from components.vault.injector_values import Injector
from components.vault.pod_values import Image, Resources, Spread
from components.vault.seal import Seal, awskms
from components.vault.service_values import Ui
from components.vault.values import (
    AuditVolume,
    Size,
    Telemetry,
    VaultValues,
    Volume,
    helm_values,
)
from settings.environments import Environment, defaults
from tests.unit.support.monitor import deploy

CHART = Path(__file__).parents[3] / "local/charts/vault"
FAKE_CA = "-----BEGIN CERTIFICATE-----\nfake, made for a test\n-----END CERTIFICATE-----\n"
FAKE_WEBHOOK_CA = FAKE_CA.replace("fake", "fake, a webhook's")
TLS_SECRET = "vault-server-tls"
WEBHOOK_SECRET = "fake-webhook-tls"
KMS = awskms(region="eu-central-1", key="alias/fake")


def vault_values(
    *,
    replicas: int = 3,
    resources: Resources | None = None,
    spread: Spread = Spread.NONE,
    storage_class: str | None = None,
    injectors: int = 1,
    seal: Seal = KMS,
    **changes: Any,
) -> VaultValues:
    """A small Vault; `changes` are other fields of VaultValues."""
    return VaultValues(
        **{
            "release": "vault",
            "image": Image(repository="example.com/vault", tag="1.21.0"),
            "size": Size(
                replicas=replicas,
                resources=resources or Resources(),
                data=Volume(size="1Gi", storage_class=storage_class),
                audit=AuditVolume(size="2Gi", size_bytes=2 * 2**30, storage_class=storage_class),
                spread=spread,
            ),
            "seal": seal,
            "injector": Injector(
                enabled=injectors > 0,
                image=Image(repository="example.com/vault-k8s", tag="1.6.2"),
                replicas=injectors,
            ),
            **changes,
        }
    )


def environment_values(environment: Environment) -> VaultValues:
    """Vault as the environment's defaults size it, with the Services of the local environment."""
    vault = defaults(environment)["vault"]
    requests, limits = vault["resources"]["requests"], vault["resources"]["limits"]
    return replace(
        vault_values(
            replicas=vault["replicas"],
            resources=Resources(
                memory=requests["memory"],
                cpu=requests["cpu"],
                memory_limit=limits["memory"],
                cpu_limit=limits["cpu"],
            ),
            spread=Spread(vault["spread"]),
            injectors=vault["injector"]["replicas"],
        ),
        image=Image(**vault["image"]),
        ui=Ui(),
        telemetry=Telemetry(),
    )


def rendered(values: VaultValues) -> dict[str, Any]:
    """The chart's values with every output resolved."""

    def program() -> None:
        webhook = _tls(WEBHOOK_SECRET, FAKE_WEBHOOK_CA) if values.injector.enabled else None
        pulumi.export("values", helm_values(values, tls=_tls(TLS_SECRET, FAKE_CA), webhook=webhook))

    resolved: dict[str, Any] = deploy(program).exports["values"]
    return resolved


def _tls(secret: str, authority: str) -> Tls:
    return Tls(secret_name=secret, ca_pem=pulumi.Output.from_input(authority))
