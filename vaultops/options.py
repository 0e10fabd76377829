"""What a bootstrap is told: how many shares, where audit goes, who may log in afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vaultops.identity import IssueJwt, Role, deployer_role, operator_role
from vaultops.state import BootstrapState

Progress = Callable[[BootstrapState, str], None]


def silent(state: BootstrapState, message: str) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True, kw_only=True)
class BootstrapOptions:
    """What the bootstrap makes. `kubernetes_auth` is the deployer mount's configuration.

    `deadline` is in seconds, for each wait.
    """

    issue_jwt: IssueJwt
    auto_unseal: bool = True
    shares: int = 5
    threshold: int = 3
    audit_file: str = "/vault/audit/audit.log"
    deployer: Role = field(default_factory=deployer_role)
    operator: Role = field(default_factory=operator_role)
    kubernetes_auth: dict[str, object] = field(
        default_factory=lambda: {"kubernetes_host": "https://kubernetes.default.svc:443"}
    )
    cleanup_dead_servers: bool = True
    min_quorum: int = 3
    dead_server_last_contact_threshold: str = "24h"
    server_stabilization_time: str = "10s"
    deadline: float = 300
