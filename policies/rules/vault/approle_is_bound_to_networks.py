"""An AppRole should say from which networks its credentials work.

Source: HashiCorp, "AppRole best practices".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from policies.resource_types import APPROLE_ROLE
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each
from policies.view import View

LISTS = ("secretIdBoundCidrs", "tokenBoundCidrs")


def _narrow(entry: View) -> Iterator[Judgement]:
    try:
        network = ipaddress.ip_network(entry.text(), strict=False)
    except ValueError:
        yield Finding(
            evidence=f"{entry.path} is {entry.text()!r}, which is no network",
            fix=f"write {entry.path} in CIDR form",
        )
        return
    if network.prefixlen == 0:
        yield Finding(evidence=f"{entry.path} is {entry.text()}", fix=f"narrow {entry.path}")


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each list that is empty or holds everything."""
    for name in LISTS:
        yield from each([role[name]], _list)


def _list(listed: View) -> Iterator[Judgement]:
    entries = list(listed.entries())
    if not entries:
        yield Finding(evidence=f"{listed.path} is empty", fix=f"name networks in {listed.path}")
    yield from each(entries, _narrow)


RULE = Rule(
    id="vault-approle-is-bound-to-networks",
    title="An AppRole must say from which networks it is used.",
    severity=Severity.MEDIUM,
    frameworks=("NIST SP 800-53 SC-7",),
    resource_types=frozenset({APPROLE_ROLE}),
    remediation="Bind secret ids and tokens to the pipeline's addresses.",
    levels=ADVISED,
    check=check,
)
