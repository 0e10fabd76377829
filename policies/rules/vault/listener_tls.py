"""Vault's listeners must speak TLS, of version 1.2 or later.

Source: HashiCorp, "Production hardening", "TCP listener"; NIST SP 800-52 revision 2.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import CONFIG_MAP, HELM_RELEASE, VAULT_SERVER_CONFIG
from policies.rule import Finding, Judgement, Rule, Severity, each
from policies.server_config import blocks, configs
from policies.view import View

OLD = frozenset({"tls10", "tls11"})


def _listener(kind: str, listener: View) -> Iterator[Judgement]:
    if kind != "tcp":
        return
    if listener["tls_disable"].flag() is True:
        yield Finding(
            evidence=f"{listener.path}: a listener has tls_disable",
            fix="give tls_cert_file and tls_key_file, and remove tls_disable",
        )
    if (oldest := listener["tls_min_version"].text()) in OLD:
        yield Finding(
            evidence=f"{listener.path}: a listener accepts {oldest}",
            fix="set tls_min_version to tls12 or tls13",
        )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each listener without TLS, and for a chart that switches it off."""
    yield from each([properties], _chart)
    for config in configs(properties):
        for kind, listener in blocks(config, "listener"):
            yield from _listener(kind, listener)


def _chart(release: View) -> Iterator[Judgement]:
    switch = release.at("values", "global", "tlsDisable")
    is_default = not switch.given and release["chart"].text().rpartition("/")[2] == "vault"
    if is_default or switch.flag() is True:
        said = "not set, which means true" if is_default else "true"
        yield Finding(evidence=f"{switch.path} is {said}", fix=f"set {switch.path} to false")


RULE = Rule(
    id="vault-listener-tls",
    title="A Vault listener must speak TLS 1.2 or later.",
    severity=Severity.CRITICAL,
    frameworks=("NIST SP 800-53 SC-8", "PCI DSS 4.2.1"),
    resource_types=frozenset({VAULT_SERVER_CONFIG, CONFIG_MAP, HELM_RELEASE}),
    remediation="Mount a certificate and let the listener use it.",
    check=check,
)
