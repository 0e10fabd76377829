"""Whoever talks to Vault must do so over TLS and check its certificate.

Judged where clients are told: environment variables and Vault Agent's annotations of pods, stores
of External Secrets Operator, and the provider of the stack itself.
Source: HashiCorp, "Commands (CLI)", environment variables; "Agent injector annotations".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from policies.external_secrets import types
from policies.pods import WORKLOADS, Checks, each_field
from policies.rule import Finding, Judgement, Rule, Severity, each, each_of
from policies.view import View

ADDRESSES = frozenset({"VAULT_ADDR", "VAULT_AGENT_ADDR", "VAULT_PROXY_ADDR"})
UNCHECKED = "VAULT_SKIP_VERIFY"
# On the loopback device nobody listens in: an agent beside the workload.
OWN_MACHINE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/.*)?")
_USER = re.compile(r"//[^/]*@")  # a user may come with a password, which no report shows
ANNOTATION = "vault.hashicorp.com/"


def _address(address: View) -> Iterator[Judgement]:
    text = address.text().strip().lower()
    if text.startswith("http://") and not OWN_MACHINE.fullmatch(text):
        said = _USER.sub("//", address.text())
        yield Finding(evidence=f"{address.path} is {said!r}", fix="use https://")


def _unchecked(switch: View) -> Iterator[Judgement]:
    if switch.flag() is True:
        yield Finding(
            evidence=f"{switch.path} is {switch.text()!r}: the certificate is not checked",
            fix=f"remove {switch.path} and give the CA",
        )


def _variable(variable: View) -> Iterator[Judgement]:
    name = variable["name"].text()
    if name in ADDRESSES:
        yield from _address(variable["value"])
    elif name == UNCHECKED:
        yield from _unchecked(variable["value"])


def _annotations(annotations: View) -> Iterator[Judgement]:
    yield from each([annotations[f"{ANNOTATION}service"]], _address)
    yield from each([annotations[f"{ANNOTATION}tls-skip-verify"]], _unchecked)


PLACES: Checks = {
    "env": partial(each_of, check=_variable),
    "annotations": _annotations,
    "metadata": lambda metadata: _annotations(metadata["annotations"]),
    "provider": lambda provider: _address(provider["vault"]["server"]),
}


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for each address in clear, and for each check that is switched off."""
    yield from each_field(properties, PLACES)
    yield from each([properties["address"]], _address)
    yield from each([properties["skipTlsVerify"]], _unchecked)


RULE = Rule(
    id="vault-address-is-https",
    title="A Vault address must be https, and its certificate must be checked.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 SC-8", "NIST SP 800-53 SC-23"),
    resource_types=WORKLOADS
    | {
        "pulumi:providers:vault",
        *types("SecretStore", "ClusterSecretStore"),
    },
    remediation="Give clients the CA in VAULT_CACERT or caProvider.",
    check=check,
)
