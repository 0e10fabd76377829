"""A whole comparison: the deployed program on one side, Vault and its cluster on the other."""

from __future__ import annotations

from drift.compare import compare
from drift.live_kubernetes import LiveCluster
from drift.live_vault import LiveVault
from drift.model import Drift
from drift.program import Program
from vaultops.kubectl import Kubectl
from vaultops.look import Look


def drift_of(program: Program, look: Look, kubectl: Kubectl) -> Drift:
    """Compare what was deployed with what runs. Raises VaultOpsError for a silent cluster."""
    vault = LiveVault(look, program.engines)
    cluster = LiveCluster(kubectl, program.namespaces, {thing.name for thing in program.things})
    return compare(
        program.things,
        (*vault.things, *cluster.things),
        unread=(*program.unread, *vault.unread, *cluster.unread),
    )
