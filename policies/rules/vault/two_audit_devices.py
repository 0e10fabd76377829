"""A stack that declares audit devices must have two, to different places, one of them off the disk.

Vault answers no request that it cannot log: with a single file, a full disk stops everything
(hashicorp/vault#18943), and whoever takes the disk takes the log.
Source: HashiCorp, "Audit logging best practices".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.resource_types import VAULT_AUDIT
from policies.rule import REQUIRED_IN_PROD, Finding, Judgement, Resource, Severity, StackRule

# Vault's own name for a device that keeps nothing, and the system's.
NOWHERE = frozenset({("file", "discard"), ("file", "/dev/null")})


def _sink(device: Resource) -> tuple[str, str]:
    view = device.view
    options = view["options"]
    place = options["file_path"].text() or options["address"].text()
    return view["type"].text(), place


def check(resources: Sequence[Resource]) -> Iterator[Judgement]:
    """Yield a finding for too few places, and for places that are all files."""
    sinks = {_sink(device) for device in resources} - NOWHERE
    first = resources[0].urn
    if len(sinks) < 2:
        yield Finding(
            evidence=f"{len(resources)} audit device(s) write to {len(sinks)} place(s)",
            fix="add a device of another type, or to another place",
            urn=first,
        )
    elif all(kind == "file" and place != "stdout" for kind, place in sinks):
        yield Finding(
            evidence="every audit device writes a file on the server's own disk",
            fix='add a socket or syslog device, or a file device to "stdout"',
            urn=first,
        )


RULE = StackRule(
    id="vault-two-audit-devices",
    title="A Vault with audit devices must have two, one of which leaves the machine.",
    severity=Severity.HIGH,
    frameworks=("NIST SP 800-53 AU-5", "NIST SP 800-53 AU-9(2)"),
    resource_types=frozenset({VAULT_AUDIT}),
    remediation="One file on its own volume, and one to the log collector.",
    levels=REQUIRED_IN_PROD,
    check=check,
)
