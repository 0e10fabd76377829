"""Vault should unseal itself with a key that it does not hold.

Without a seal stanza, every restart waits for people with shares, and the shares lie somewhere.
Source: HashiCorp, "Seal/Unseal", auto unseal.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import CONFIG_MAP, HELM_RELEASE, VAULT_SERVER_CONFIG
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity
from policies.server_config import blocks, configs
from policies.view import View

CREDENTIALS = frozenset(
    {"access_key", "secret_key", "token", "client_secret", "credentials", "pin"}
)


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for a configuration without a seal, and for a credential inside one."""
    for config in configs(properties):
        if not any(blocks(config, "storage")):
            continue  # a listener alone is an agent's configuration
        seals = list(blocks(config, "seal"))
        if not any(
            kind != "shamir" and seal["disabled"].flag() is not True for kind, seal in seals
        ):
            yield Finding(
                evidence=f"{config.path} has no seal stanza",
                fix='add a seal stanza, such as seal "awskms"',
            )
        for kind, seal in seals:
            for key, _ in seal.items():
                if key in CREDENTIALS:
                    yield Finding(
                        evidence=f'{config.path}: seal "{kind}" holds {key}',
                        fix="give the servers' service account access to the key instead",
                    )


RULE = Rule(
    id="vault-seal-is-automatic",
    title="Vault must unseal itself, without a credential in its configuration.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 SC-12",),
    resource_types=frozenset({VAULT_SERVER_CONFIG, CONFIG_MAP, HELM_RELEASE}),
    remediation="Use a cloud key or another Vault's Transit engine.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
