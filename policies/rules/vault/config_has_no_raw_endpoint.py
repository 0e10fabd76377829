"""Vault's configuration must not switch on raw storage, or audit devices chosen by API.

`sys/raw` reads and writes what lies below every policy. Introspection and unauthenticated metrics
tell a stranger what is inside.
Source: HashiCorp, "Parameters for Vault configuration"; OpenBao, "unsafe_allow_api_audit_creation".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import CONFIG_MAP, HELM_RELEASE, VAULT_SERVER_CONFIG
from policies.rule import Finding, Judgement, Rule, Severity
from policies.server_config import blocks, configs
from policies.view import View

SWITCHES = (
    "raw_storage_endpoint",
    "introspection_endpoint",
    "unsafe_allow_api_audit_creation",
)
ON_LISTENER = {
    "telemetry": "unauthenticated_metrics_access",
    "profiling": "unauthenticated_pprof_access",
    "inflight_requests_logging": "unauthenticated_in_flight_requests_access",
}


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each switch that is on."""
    for config in configs(properties):
        for name in SWITCHES:
            yield from _off(config.path, config[name])
        for _, listener in blocks(config, "listener"):
            for part, name in ON_LISTENER.items():
                for block in listener[part].entries():
                    yield from _off(config.path, block[name])


def _off(path: str, switch: View) -> Iterator[Judgement]:
    if switch.flag() is True:
        name = switch.path.rpartition(".")[2]
        yield Finding(evidence=f"{path} sets {name}", fix=f"remove {name}")


RULE = Rule(
    id="vault-config-has-no-raw-endpoint",
    title="Vault's configuration must not switch on raw storage or open diagnostics.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 CM-7",),
    resource_types=frozenset({VAULT_SERVER_CONFIG, CONFIG_MAP, HELM_RELEASE}),
    remediation="Switch such endpoints on for a repair only, and off again.",
    check=check,
)
