"""Tables for people. Owns their columns; programs read --json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from cli.reporting import console
from vaultops.certificates import ServedCertificate
from vaultops.state import Observation, Replica


def show_servers(seen: Observation) -> None:
    """One line a server."""
    table = _table("server", "condition", "version", "seal", title=f"cluster: {seen.state}")
    for replica in seen.replicas:
        table.add_row(replica.name, _condition(replica), replica.version, replica.seal_type)
    console().print(table)


def show_certificates(served: Sequence[ServedCertificate]) -> None:
    """One line a certificate."""
    table = _table("server", "days left", "ends (UTC)", "issuer")
    for one in served:
        ends = f"{one.expires:%Y-%m-%d %H:%M}"
        table.add_row(one.name, str(one.days_left), ends, one.issuer)
    console().print(table)


def show_facts(facts: Mapping[str, Any]) -> None:
    """One line a fact; long values stay whole, so that they can be copied."""
    for name, value in facts.items():
        console().print(f"{name}: {value}", soft_wrap=True, highlight=False)


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = column.header != "issuer"
    return table


def _condition(replica: Replica) -> str:
    if not replica.answers:
        return "does not answer"
    if not replica.initialised:
        return "not initialised"
    if replica.sealed:
        return f"sealed ({replica.unseal_progress} of {replica.unseal_threshold} shares)"
    return "active" if replica.active else "standby"
