"""Vault must run on three or five Raft servers that do not share a machine.

Two servers outlive no loss, an even number adds one that can fail and none that may.
Source: HashiCorp, "Integrated storage", deployment table; "Vault on Kubernetes reference".
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource_types import HELM_RELEASE, STATEFUL_SET
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Rule, Severity, each
from policies.view import View

QUORUMS = (3, 5, 7)
SERVER = {"app.kubernetes.io/name": "vault", "component": "server"}
SPREAD = "requiredDuringSchedulingIgnoredDuringExecution"


def _count(replicas: View) -> Iterator[Judgement]:
    if replicas.number() not in QUORUMS:
        yield Finding(
            evidence=f"{replicas.path} is {replicas.text() or 'not set'}",
            fix=f"set {replicas.path} to 3 or 5",
        )


def _apart(affinity: View) -> Iterator[Judgement]:
    # The chart takes affinity as text too, and without one it sets its own.
    if isinstance(affinity.value, str):
        spread = SPREAD in affinity.text()
    else:
        spread = any(affinity.at("podAntiAffinity", SPREAD).entries())
    if not spread:
        yield Finding(
            evidence=f"{affinity.path} does not keep the servers on machines of their own",
            fix=f"set podAntiAffinity.{SPREAD} on kubernetes.io/hostname",
        )


def check(properties: View) -> Iterator[Judgement]:
    """Yield a finding for a wrong number of servers, and for servers side by side."""
    server = properties["values"]["server"]
    if server.at("ha", "raft", "enabled").flag() is True:
        yield from each([server.at("ha", "replicas")], _count)
        if server["affinity"].value is not None:
            yield from each([server["affinity"]], _apart)
    template = properties.at("spec", "template")
    labels = template.at("metadata", "labels")
    if all(labels[key].text() == value for key, value in SERVER.items()):
        yield from each([properties.at("spec", "replicas")], _count)
        yield from each([template.at("spec", "affinity")], _apart)


RULE = Rule(
    id="vault-raft-is-redundant",
    title="Vault must run on three or five servers that do not share a machine.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 CP-10", "NIST SP 800-53 SC-36"),
    resource_types=frozenset({STATEFUL_SET, HELM_RELEASE}),
    remediation="Three replicas with required anti-affinity on the machine's name.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
