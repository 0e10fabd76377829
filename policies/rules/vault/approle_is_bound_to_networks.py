"""An AppRole should say from which networks its credentials work.

Source: HashiCorp, "AppRole best practices".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from policies.networks import Network, is_wide, network, wide_together
from policies.resource_types import APPROLE_ROLE
from policies.rule import ADVISED, Finding, Judgement, Rule, Severity, each
from policies.view import NotKnown, View

LISTS = ("secretIdBoundCidrs", "tokenBoundCidrs")


def _entry(entry: View) -> Iterator[Judgement]:
    try:
        wide = is_wide(network(entry.text()))
    except ValueError:
        yield Finding(
            evidence=f"{entry.path} is {entry.text()!r}, which is no network",
            fix=f"write {entry.path} in CIDR form",
        )
        return
    if wide:
        yield Finding(evidence=f"{entry.path} is {entry.text()}", fix=f"narrow {entry.path}")


def _narrow(entries: Iterable[View]) -> Iterator[Network]:
    for entry in entries:
        with suppress(ValueError, NotKnown):  # told by itself
            if not is_wide(read := network(entry.text())):
                yield read


def _list(listed: View) -> Iterator[Judgement]:
    entries = list(listed.entries())
    if not entries:
        yield Finding(evidence=f"{listed.path} is empty", fix=f"name networks in {listed.path}")
    yield from each(entries, _entry)
    for joined in wide_together(_narrow(entries)):
        yield Finding(
            evidence=f"{listed.path} holds all of {joined} in parts", fix=f"narrow {listed.path}"
        )


def check(role: View) -> Iterator[Judgement]:
    """Yield a finding for each list that is empty or holds a good part of all addresses."""
    for name in LISTS:
        yield from each([role[name]], _list)


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
